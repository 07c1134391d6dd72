// @ts-check
/** Reads the description of the API: references, types in words, examples, groups and what a search finds. Pure. */

/** Any object of the description; its shape is OpenAPI's. @typedef {Record<string, any>} Schema */
/** @typedef {{id: string, method: string, path: string, tag: string, operation: Schema, parameters: Schema[], options: Schema[]}} Operation */

const JSON_TYPE = 'application/json';

export class Description {
  /** @param {Schema} api */
  constructor(api) {
    this.api = api;
    /** @type {Operation[]} */
    this.operations = Object.entries(/** @type {Record<string, Schema>} */ (api.paths)).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => this.read(method, path, operation)));
  }

  /** @param {string} method @param {string} path @param {Schema} operation @returns {Operation} */
  read(method, path, operation) {
    const all = (operation.parameters ?? []).map((/** @type {Schema} */ each) => ({ ...this.resolve(each), is_option: (each.$ref ?? '').includes('/option.') }));
    return {
      id: operation.operationId, method: method.toUpperCase(), path, tag: operation.tags[0], operation,
      parameters: all.filter((/** @type {Schema} */ each) => !each.is_option), options: all.filter((/** @type {Schema} */ each) => each.is_option),
    };
  }

  /** What a reference points to. @param {Schema} schema @returns {Schema} */
  resolve(schema) {
    return schema.$ref ? schema.$ref.slice(2).split('/').reduce((/** @type {Schema} */ at, /** @type {string} */ name) => at[name], this.api) : schema;
  }

  /** The groups in their order, each with its operations. @returns {{name: string, title: string, text: string, operations: Operation[]}[]} */
  groups() {
    return this.api.tags.map((/** @type {Schema} */ tag) => ({
      name: tag.name, title: tag['x-displayName'] ?? tag.name, text: tag.description, operations: this.operations.filter((each) => each.tag === tag.name),
    }));
  }

  /** An answer's example, as the schema gives it. @param {Schema} content @returns {unknown} undefined where there is none */
  example(content) {
    const media = content?.[JSON_TYPE];
    return media ? media.example ?? this.resolve(media.schema).example : undefined;
  }

  /** How an answer that went well comes. @param {Operation} each @returns {import('./code.js').Call['answer']} */
  answerOf({ operation, method }) {
    const types = Object.entries(/** @type {Schema} */ (operation.responses)).filter(([status]) => status.startsWith('2')).flatMap(([, answer]) => Object.keys(answer.content ?? {}));
    if (method === 'HEAD' || types.length === 0) return 'none';
    if (types.includes('text/event-stream')) return 'stream';
    return types.every((type) => type === JSON_TYPE) ? 'json' : 'file';
  }

  /** Media types that a form can send: a file, or a text that is typed. @param {Operation} each @returns {string[]} */
  bodyTypes({ operation }) {
    return Object.keys(operation.requestBody?.content ?? {}).filter((type) => !type.startsWith('multipart/') && !type.includes('urlencoded') && type !== 'application/octet-stream');
  }
}

/** A schema in a few words. @param {Schema} schema @returns {string} */
export function typeText(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.map(typeText).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.type === 'array') return `${typeText(schema.items)}[]`;
  const range = schema.minimum !== undefined || schema.maximum !== undefined ? ` ${schema.minimum ?? ''}–${schema.maximum ?? ''}` : '';
  return `${schema.type ?? 'any'}${range}`;
}

/** Whether every word of a search stands in what is said of an operation. @param {Operation} each @param {string} search */
export function isFound({ id, method, path, operation, parameters, options }, search) {
  const said = [id, method, path, operation.summary, ...[...parameters, ...options].flatMap(({ name, description }) => [name, description ?? ''])].join(' ').toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => said.includes(word));
}
