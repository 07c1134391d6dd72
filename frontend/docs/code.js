// @ts-check
/** A request as code that runs as it stands: curl, Python (requests) and JavaScript (Node 20 and later, also Deno and Bun). Pure. */

/**
 * @typedef {object} Call
 * @property {string} method in capitals
 * @property {string} url whole, with its query
 * @property {Record<string, string>} headers
 * @property {{kind: 'file', name: string} | {kind: 'text', text: string} | null} body
 * @property {'json' | 'file' | 'stream' | 'none'} answer
 * @property {string} save name of the file that an answer is kept in
 *
 * @typedef {'curl' | 'python' | 'js'} Language
 */

/** @type {Record<Language, {name: string, write: (call: Call) => string}>} */
export const LANGUAGES = {
  curl: { name: 'curl', write: curl },
  python: { name: 'Python', write: python },
  js: { name: 'JavaScript', write: javascript },
};

/** A word for a POSIX shell. @param {string} text */
const shell = (text) => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`;

/** A string that is one in Python and in JavaScript. @param {string} text */
const quoted = (text) => JSON.stringify(text).replace(/[\u2028\u2029\u007f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @param {Call} call */
function curl({ method, url, headers, body, answer, save }) {
  const is_head = method === 'HEAD';
  const usual = body ? 'POST' : 'GET';
  const words = [
    ['curl --fail-with-body', ...(is_head ? ['--head'] : []), ...(answer === 'stream' ? ['--no-buffer'] : []), ...(answer === 'none' && !is_head ? ['--include'] : []), ...(method === usual || is_head ? [] : ['--request', method]), shell(url)].join(' '),
    ...Object.entries(headers).map(([name, value]) => `--header ${shell(`${name}: ${value}`)}`),
    ...(body?.kind === 'file' ? [`--data-binary ${shell(`@${body.name}`)}`] : []),
    ...(body?.kind === 'text' ? [`--data-raw ${shell(body.text)}`] : []),
    ...(answer === 'file' && !is_head ? [`--output ${shell(save)}`] : []),
  ];
  return words.join(' \\\n  ');
}

/** @param {Call} call */
function python({ method, url, headers, body, answer, save }) {
  const given = [
    ...(Object.keys(headers).length ? [`headers={${Object.entries(headers).map(([name, value]) => `${quoted(name)}: ${quoted(value)}`).join(', ')}}`] : []),
    ...(body?.kind === 'file' ? [`data=open(${quoted(body.name)}, "rb")`] : []),
    ...(body?.kind === 'text' ? [`data=${quoted(body.text)}.encode()`] : []),
    ...(answer === 'stream' ? ['stream=True'] : []),
  ];
  const call = `response = requests.request(\n    ${[quoted(method), quoted(url), ...given].join(',\n    ')},\n)`;
  const lines = ['import requests', '', call, 'if not response.ok:', '    raise SystemExit(response.text)'];
  if (method === 'HEAD' || answer === 'none') lines.push('print(response.status_code, dict(response.headers))');
  else if (answer === 'json') lines.push('print(response.json())');
  else if (answer === 'stream') lines.push('for line in response.iter_lines(decode_unicode=True):', '    print(line)');
  else lines.push(`with open(${quoted(save)}, "wb") as file:`, '    file.write(response.content)');
  return lines.join('\n');
}

/** @param {Call} call */
function javascript({ method, url, headers, body, answer, save }) {
  const saves = answer === 'file' && method !== 'HEAD';
  const lines = [
    ...(body?.kind === 'file' ? ['import { openAsBlob } from \'node:fs\';'] : []),
    ...(saves ? ['import { writeFile } from \'node:fs/promises\';'] : []),
  ];
  if (lines.length) lines.push('');
  const given = [
    ...(method === 'GET' ? [] : [`  method: ${quoted(method)},`]),
    ...(Object.keys(headers).length ? [`  headers: { ${Object.entries(headers).map(([name, value]) => `${quoted(name)}: ${quoted(value)}`).join(', ')} },`] : []),
    ...(body?.kind === 'file' ? [`  body: await openAsBlob(${quoted(body.name)}),`] : []),
    ...(body?.kind === 'text' ? [`  body: ${quoted(body.text)},`] : []),
  ];
  lines.push(`const response = await fetch(${quoted(url)}${given.length ? `, {\n${given.join('\n')}\n}` : ''});`);
  lines.push('if (!response.ok) throw new Error(await response.text());');
  if (method === 'HEAD' || answer === 'none') lines.push('console.log(response.status, Object.fromEntries(response.headers));');
  else if (answer === 'json') lines.push('console.log(await response.json());');
  else if (answer === 'stream') lines.push('for await (const text of response.body.pipeThrough(new TextDecoderStream())) console.log(text);');
  else lines.push(`await writeFile(${quoted(save)}, response.body);`);
  return lines.join('\n');
}
