// @ts-check
/**
 * Zoom and pan of a picture in a stage: by wheel, arrow keys, `+`, `-`, `0`, `1` and `2`, one finger or the mouse, two fingers. The view goes to the stage
 * as custom properties (`--width`, `--height`, `--x`, `--y`), so that several layers can follow it. The arithmetic is in `core/zoom.js`.
 */
import { canPan, fitScale, fitView, panBy, viewAfterResize, viewOf, zoomTo } from '../core/zoom.js';

/** @typedef {import('../core/zoom.js').Size} Size */
/** @typedef {{x: number, y: number}} Point */
/**
 * @typedef {object} Handlers
 * @property {() => Size} room what one picture has of the stage
 * @property {(scale: number) => void} onView
 * @property {(event: PointerEvent) => void} onPress of the first pointer
 * @property {(event: PointerEvent) => void} onDrag while there is nothing to pan
 * @property {() => void} onPinch a second finger came: what the first did was not meant
 */

const STEP = 1.25;
const ARROW_PIXELS = 60;
/** Keys that show 100 % and 200 %. */
const SCALES = new Set(['1', '2']);
/** Above this scale single pixels are shown. */
const SMOOTH_UP_TO = 2;
const ARROWS = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] });

export class PanZoom {
  /** @param {HTMLElement} stage @param {Size} size of the picture @param {Handlers} handlers */
  constructor(stage, size, handlers) {
    this.stage = stage;
    this.size = size;
    this.handlers = handlers;
    this.view = { scale: 1, x: 0, y: 0 };
    this.is_fitted = true;
    /** Whether a reader has chosen this view. */
    this.is_chosen = false;
    /** Fingers, or the pressed mouse. @type {Map<number, Point>} */
    this.pointers = new Map();
    stage.addEventListener('keydown', (event) => this.onKey(event));
    stage.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    stage.addEventListener('dblclick', () => this.fit());
    stage.addEventListener('pointerdown', (event) => this.onDown(event));
    stage.addEventListener('pointermove', (event) => this.onMove(event));
    for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) stage.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
  }

  canPan() {
    return canPan(this.view, this.size, this.handlers.room());
  }

  /** The room has changed. */
  resize() {
    const room = this.handlers.room();
    this.view = this.is_fitted ? fitView(this.size, room) : panBy(this.view, 0, 0, this.size, room);
    this.draw();
  }

  fit() {
    this.is_chosen = this.is_fitted = true;
    this.resize();
  }

  /** Another picture, of which nobody has chosen a view yet. @param {Size} size */
  reset(size) {
    this.size = size;
    this.fit();
    this.is_chosen = false;
  }

  /** The same picture in another size: what is seen of it stays. @param {Size} size */
  setSize(size) {
    if (size.width === this.size.width && size.height === this.size.height) return;
    this.view = viewAfterResize(this.view, this.size, size, this.handlers.room());
    this.size = size;
    this.resize();
  }

  /** Unless a reader has chosen a view meanwhile. @param {Point} place as shares of the picture's sides @param {number} scale */
  suggest(place, scale) {
    if (this.is_chosen) return;
    const room = this.handlers.room();
    this.view = viewOf(place, Math.max(scale, fitScale(this.size, room)), this.size, room);
    this.is_fitted = !this.canPan();
    this.draw();
  }

  /** @param {number} scale @param {Point} [point] that stays where it is */
  zoomTo(scale, point = { x: 0, y: 0 }) {
    const room = this.handlers.room();
    this.is_chosen = true;
    this.view = zoomTo(this.view, scale, point, this.size, room);
    this.is_fitted = Math.abs(this.view.scale - fitScale(this.size, room)) < 1e-6;
    this.draw();
  }

  /** @param {number} factor @param {Point} [point] */
  zoomBy(factor, point) {
    this.zoomTo(this.view.scale * factor, point);
  }

  zoomIn() {
    this.zoomBy(STEP);
  }

  zoomOut() {
    this.zoomBy(1 / STEP);
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.is_chosen = true;
    this.view = panBy(this.view, dx, dy, this.size, this.handlers.room());
    this.draw();
  }

  draw() {
    const { scale, x, y } = this.view;
    const style = this.stage.style;
    style.setProperty('--width', `${Math.round(this.size.width * scale)}px`);
    style.setProperty('--height', `${Math.round(this.size.height * scale)}px`);
    style.setProperty('--x', `${Math.round(x)}px`);
    style.setProperty('--y', `${Math.round(y)}px`);
    this.stage.classList.toggle('is-pixelated', scale > SMOOTH_UP_TO);
    this.stage.classList.toggle('can-pan', this.canPan());
    this.handlers.onView(scale);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = ARROWS[event.key];
    if (move) this.pan(move[0] * ARROW_PIXELS, move[1] * ARROW_PIXELS);
    else if (event.key === '+' || event.key === '=') this.zoomIn();
    else if (event.key === '-') this.zoomOut();
    else if (event.key === '0') this.fit();
    else if (SCALES.has(event.key)) this.zoomTo(Number(event.key));
    else return;
    event.preventDefault();
  }

  /** A pinch on a touchpad comes as a wheel with Ctrl, in small steps. @param {WheelEvent} event */
  onWheel(event) {
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 500)), this.pointOf(event));
  }

  /** A pointer's place, from the centre of the room of its picture. @param {{clientX: number, clientY: number}} event */
  pointOf(event) {
    const box = this.stage.getBoundingClientRect();
    const room = this.handlers.room();
    return { x: (event.clientX - box.left) % room.width - room.width / 2, y: (event.clientY - box.top) % room.height - room.height / 2 };
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (event.target !== this.stage || event.button !== 0) return;
    const is_second = this.pointers.size > 0;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.stage.setPointerCapture(event.pointerId);
    if (is_second) this.handlers.onPinch();
    else this.handlers.onPress(event);
  }

  /** Two fingers zoom; one pans, if there is anything to pan. @param {PointerEvent} event */
  onMove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) this.zoomBy(distance(now, other) / Math.max(1, distance(last, other)), this.pointOf({ clientX: other.x, clientY: other.y }));
    else if (this.canPan()) this.pan(now.x - last.x, now.y - last.y);
    else this.handlers.onDrag(event);
    this.pointers.set(event.pointerId, now);
  }
}

/** @param {Point} one @param {Point} other */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
