// @ts-check
/**
 * The types that the page's modules share. Nothing here runs.
 *
 * @typedef {object} Problem RFC 9457, as the gateway sends it. The page adds the `language` that it asked for.
 * @property {string} code
 * @property {number} [status]
 * @property {string} [title]
 * @property {string} [detail]
 * @property {string} [option] that cannot be used
 * @property {string} [language]
 * @property {boolean} [is_guessed] from the status alone: the answer held no problem, and may be a proxy's
 *
 * @typedef {'connecting' | 'live' | 'streaming' | 'polling' | 'offline' | 'unreachable'} Mode how updates of jobs reach the page, if at all
 *
 * @typedef {object} Source
 * @property {string} [filename]
 * @property {number} [bytes]
 * @property {string | null} [format]
 * @property {number | null} [width]
 * @property {number | null} [height]
 * @property {number | null} [frames]
 *
 * @typedef {object} Result
 * @property {string} url
 * @property {number} bytes
 * @property {string} [format]
 * @property {number} width
 * @property {number} height
 * @property {boolean} [larger_than_source] true only where it is so
 * @property {boolean} [original] true only where the source itself is the result
 * @property {number} [frames]
 * @property {number} [saved_percent]
 * @property {number} [quality] that `quality=auto` chose
 * @property {boolean} [lossless] what `lossless=auto` decided
 * @property {string} [thumbhash] a blurred miniature in about 25 bytes, as Base64
 * @property {string} [color] the mean, as `#rrggbb`
 *
 * @typedef {object} Job the contract's Job
 * @property {string} id
 * @property {'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'} state
 * @property {'decode' | 'transform' | 'encode' | 'store' | null} [stage]
 * @property {number} progress
 * @property {number} seq
 * @property {number | null} [queue_position]
 * @property {number | null} [eta_seconds]
 * @property {'measured' | 'estimated'} [progress_is] how `progress` is known; an older gateway says nothing, and measures it
 * @property {Source} [source]
 * @property {Record<string, unknown>} [options]
 * @property {Result | null} [result]
 * @property {Result[]} [results] of a job that asked for several: those that are ready, in the order asked for
 * @property {Record<string, string>} [links] `archive`: the ZIP of `results`
 * @property {Problem | null} [error]
 * @property {string} [created_at]
 * @property {string | null} [started_at]
 * @property {string | null} [finished_at]
 * @property {string} [expires_at]
 *
 * @typedef {'invalid' | 'waiting' | 'uploading' | 'retrying' | 'offline' | 'paused' | 'verifying' | 'queued' | 'decoding' |
 *   'transforming' | 'encoding' | 'saving' | 'confirming' | 'cancelling' | 'done' | 'failed' | 'cancelled' | 'expired'} State
 *
 * @typedef {object} Item one image on the page
 * @property {string} id
 * @property {State} state
 * @property {number} place in the order in which images were added
 * @property {string} name
 * @property {number} bytes
 * @property {string} folder the folders from which it was chosen, as `holiday/beach`; else empty
 * @property {number} modified_ms when the file was changed last; 0 where that is not known
 * @property {string} type media type as the browser sees it; may be empty
 * @property {string} key Idempotency-Key: the same for every attempt to upload
 * @property {Record<string, string>} options query options of the job
 * @property {boolean} has_file whether the page holds the bytes (false after a reload)
 * @property {string | null} origin the job whose stored source is converted again, instead of an upload
 * @property {string | null} url address from which the gateway fetches the image, instead of an upload
 * @property {string | null} upload address of the resumable upload that holds the first `kept_bytes`
 * @property {number} kept_bytes what the gateway has acknowledged of it
 * @property {number} sent_bytes
 * @property {number} progress the job's own percent, 0–100; never falls
 * @property {boolean} is_estimated whether `progress` is an estimate: the encoder does not say how far it is
 * @property {number} percent upload and job together, 0–100; never falls; 100 only when the result can be fetched
 * @property {import('./eta.js').Eta | null} upload_eta
 * @property {string | null} job
 * @property {number} seq
 * @property {number | null} position place in the queue
 * @property {number | null} eta_s of the job, as the gateway estimates it
 * @property {Source | null} source
 * @property {Result | null} result of several, the one that stands for all: see `core/variants.js`
 * @property {Result[]} results of a job that asked for several: those that are ready
 * @property {string | null} archive address of their ZIP
 * @property {Problem | null} problem
 * @property {number} attempt failed uploads since the last progress
 * @property {number} retry_at_ms when the next attempt starts
 * @property {number | null} duration_s of the conversion
 * @property {boolean} is_stalled the gateway does not answer: estimates would be wrong
 *
 * @typedef {object} ItemStore the images of the page, as `net` sees them: see `items.js`
 * @property {() => Iterable<Item>} all in the order of the list
 * @property {(id: string) => Item | undefined} get
 * @property {(id: string, fact: import('./item.js').Fact) => void} dispatch
 *
 * @typedef {object} Format
 * @property {string} name
 * @property {string} media_type
 * @property {string[]} extensions
 *
 * @typedef {object} OutputFormat one that is written
 * @property {string} name
 * @property {string} media_type
 * @property {string} extension
 * @property {number} side_pixels of a result, at most
 * @property {boolean} has_alpha
 * @property {boolean} has_animation
 *
 * @typedef {object} OptionSchema JSON Schema, as far as the page reads it
 * @property {unknown} [default]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {string} [type]
 * @property {unknown} [const]
 * @property {unknown[]} [enum]
 * @property {OptionSchema[]} [anyOf]
 * @property {string[]} [x-formats] the output formats for which alone the option means something
 *
 * @typedef {object} Capabilities the answer of `/api/capabilities`
 * @property {string} version
 * @property {Format[]} formats that are read
 * @property {OutputFormat[]} [output_formats] an older gateway writes WebP alone, and does not say so
 * @property {{upload_bytes: number, pixels: number, frames: number, side_pixels: number, files_per_request: number}} limits
 * @property {Record<string, OptionSchema>} options
 * @property {string[]} [watermarks] the names of the operator’s, which an older gateway has not
 * @property {number} retention_s
 * @property {boolean} auth
 * @property {string[]} [features]
 */

export {};
