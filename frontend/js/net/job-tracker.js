// @ts-check
/** Follows the job of an image until its result can be fetched, and cancels it when asked. */
import { hasEnded } from '../core/states.js';

/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('../core/types.js').Problem} Problem */
/**
 * @typedef {object} Context
 * @property {import('./api.js').Api} api
 * @property {import('./job-updates.js').JobUpdates} updates
 * @property {import('../core/types.js').ItemStore} items
 * @property {(id: string, problem: Problem) => void} onProblem what failed without changing the state of the item
 * @property {() => void} onJobEnded
 */

const CONFIRM_DELAYS_MS = [100, 250, 500, 1000, 2000, 4000, 8000];
const CANCEL_AGAIN_MS = 1000;

export class JobTracker {
  /** @param {Context} context */
  constructor({ api, updates, items, onProblem, onJobEnded }) {
    this.api = api;
    this.updates = updates;
    this.items = items;
    this.onProblem = onProblem;
    this.onJobEnded = onJobEnded;
  }

  /** The upload of an item has become this job, of which nothing else is known yet. @param {string} id @param {string} job */
  follow(id, job) {
    this.items.dispatch(id, { type: 'job_accepted', job_id: job });
    if (this.isOf(id, job)) this.updates.follow(job, -1);
  }

  /** The gateway answered the upload of an item with its job, which may have ended already. @param {string} id @param {Job} job */
  accept(id, job) {
    const was_cancelling = this.items.get(id)?.state === 'cancelling';
    this.items.dispatch(id, { type: 'job_accepted', job_id: job.id });
    this.apply(id, job);
    if (was_cancelling) this.cancel(id, job.id);
    if (this.isOf(id, job.id) && !hasEnded(job)) this.updates.follow(job.id, job.seq);
  }

  /** @param {string} id @param {string} job */
  isOf(id, job) {
    return this.items.get(id)?.job === job;
  }

  /** An update of the job, by whichever way it came. @param {string} id @param {Job} job */
  apply(id, job) {
    const state_before = this.items.get(id)?.state;
    this.items.dispatch(id, { type: 'job_updated', job });
    const item = this.items.get(id);
    if (!item || item.state === state_before) return;
    if (item.state === 'confirming') this.confirmResult(id, job.id);
    if (item.state === 'failed' && !item.problem?.language) this.translateProblem(id, job.id);
    if (!hasEnded(job)) return;
    this.updates.unfollow(job.id);
    this.onJobEnded();
  }

  /** An image is done only when its result can be fetched. @param {string} id @param {string} job */
  async confirmResult(id, job) {
    for (const delay_ms of CONFIRM_DELAYS_MS) {
      const answer = await this.api.checkResult(job);
      if (answer.ok) return this.items.dispatch(id, { type: 'result_confirmed', job_id: job });
      if (answer.status === 404 || answer.status === 410) break;
      await new Promise((resolve) => setTimeout(resolve, delay_ms));
      if (this.items.get(id)?.state !== 'confirming' || !this.isOf(id, job)) return;
    }
    this.items.dispatch(id, { type: 'job_gone', job_id: job });
  }

  /** Ask for the reason of a failure in the page's language: events come without one. @param {string} id @param {string} job */
  async translateProblem(id, job) {
    const { language } = this.api.identity();
    const answer = await this.api.job(job);
    if (answer.ok && answer.body.error) this.items.dispatch(id, { type: 'problem_translated', job_id: job, problem: { ...answer.body.error, language } });
  }

  /** Ask until the gateway has answered. @param {string} id @param {string} job */
  async cancel(id, job) {
    const answer = await this.api.cancel(job);
    if (answer.ok) return this.apply(id, answer.body);
    if (answer.status === 409) {
      this.onProblem(id, answer.problem);
      return this.updates.poll(job);
    }
    if (answer.status === 404 || answer.status === 410) return this.items.dispatch(id, { type: 'job_gone', job_id: job });
    setTimeout(() => this.isOf(id, job) && this.items.get(id)?.state === 'cancelling' && this.cancel(id, job), CANCEL_AGAIN_MS);
  }

  /** After a download was started: report why the result cannot be fetched, if so. @param {string} id */
  async checkResult(id) {
    const job = this.items.get(id)?.job;
    if (!job) return;
    const answer = await this.api.checkResult(job);
    if (answer.ok) return;
    if (answer.status === 404 || answer.status === 410) this.items.dispatch(id, { type: 'job_gone', job_id: job });
    else this.onProblem(id, answer.problem);
  }
}
