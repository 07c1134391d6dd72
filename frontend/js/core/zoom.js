// @ts-check
/**
 * The view of the comparison: scale and offset of an image in a stage, both in CSS pixels. Offset 0,0 is centred, and is kept when the window
 * is resized.
 *
 * @typedef {{scale: number, x: number, y: number}} View `scale` 1 is one image pixel to one CSS pixel
 * @typedef {{width: number, height: number}} Size
 */

export const MAX_SCALE = 16;

/** @param {Size} image @param {Size} stage */
export function fitScale(image, stage) {
  if (!image.width || !image.height || !stage.width || !stage.height) return 1;
  return Math.min(1, stage.width / image.width, stage.height / image.height);
}

/** @param {Size} image @param {Size} stage @returns {View} */
export function fitView(image, stage) {
  return { scale: fitScale(image, stage), x: 0, y: 0 };
}

/**
 * Zoom about a point of the stage (measured from its centre), which stays where it is.
 * @param {View} view
 * @param {number} scale
 * @param {{x: number, y: number}} point
 * @param {Size} image
 * @param {Size} stage
 * @returns {View}
 */
export function zoomTo(view, scale, point, image, stage) {
  const bounded = Math.min(MAX_SCALE, Math.max(fitScale(image, stage) / 2, scale));
  const ratio = bounded / view.scale;
  return keepIn({ scale: bounded, x: point.x - (point.x - view.x) * ratio, y: point.y - (point.y - view.y) * ratio }, image, stage);
}

/** @param {View} view @param {number} dx @param {number} dy @param {Size} image @param {Size} stage @returns {View} */
export function panBy(view, dx, dy, image, stage) {
  return keepIn({ ...view, x: view.x + dx, y: view.y + dy }, image, stage);
}

/** @param {View} view @param {Size} image @param {Size} stage @returns {View} */
function keepIn(view, image, stage) {
  const reach = (/** @type {number} */ length, /** @type {number} */ room) => Math.max(0, (length * view.scale - room) / 2);
  const x = reach(image.width, stage.width);
  const y = reach(image.height, stage.height);
  return { ...view, x: Math.min(x, Math.max(-x, view.x)), y: Math.min(y, Math.max(-y, view.y)) };
}

/** Whether any part of the image is out of sight. @param {View} view @param {Size} image @param {Size} stage */
export function canPan(view, image, stage) {
  return image.width * view.scale > stage.width + 1 || image.height * view.scale > stage.height + 1;
}

/** With this place of the image (shares of its sides) in the middle, as far as its edges allow. @param {{x: number, y: number}} place @param {number} scale @param {Size} image @param {Size} stage @returns {View} */
export function viewOf(place, scale, image, stage) {
  return keepIn({ scale, x: (0.5 - place.x) * image.width * scale, y: (0.5 - place.y) * image.height * scale }, image, stage);
}

/** The same part of a picture that has another size now. @param {View} view @param {Size} before @param {Size} after @param {Size} stage @returns {View} */
export function viewAfterResize(view, before, after, stage) {
  const scale = Math.min(MAX_SCALE, view.scale * before.width / after.width);
  return keepIn({ ...view, scale }, after, stage);
}
