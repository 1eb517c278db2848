// An upload to an S3-compatible server: what is read is checked against its digest, what is sent is counted, and nothing of a
// stopped one stays there.
const { createHash } = require("node:crypto");
const { createReadStream, statSync } = require("node:fs");
const { Readable } = require("node:stream");
const { setTimeout: pause } = require("node:timers/promises");

/** @typedef {import("@aws-sdk/client-s3").S3Client} S3Client */
/** @typedef {{ path?: string, text?: string, hash?: string }} Asset Pulumi's: the hash is the SHA-256 of its content */

const MIB = 1 << 20;
const PART_BYTES = 16 * MIB;
/** Amazon S3 User Guide, "Amazon S3 multipart upload limits". */
const MOST_PARTS = 10_000;
/** What is counted at once. */
const PIECE_BYTES = 64 << 10;
const REPORT_MS = 1000;
/** How long a stopped upload waits for the server to forget its parts. */
const FORGET_MS = 10_000;

/** A file's content, and an error at its end if that is not what it was when Pulumi looked. @param {string} path @param {string} [sha256] */
async function* heldTo(path, sha256) {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) {
    hash.update(piece);
    yield piece;
  }
  if (sha256 && hash.digest("hex") !== sha256)
    throw Object.assign(new Error(`${path} is not what it was when this began`), { code: "Changed" });
}

/** @param {{ source?: Asset, content?: string }} inputs @returns {{ body: Readable | string, total: number }} */
function contentOf({ source, content }) {
  const path = source?.path;
  if (!path) {
    const body = source?.text ?? content ?? "";
    return { body, total: Buffer.byteLength(body) };
  }
  const body = Readable.from(heldTo(path, source.hash), { objectMode: false });
  return { body, total: statSync(path).size };
}

/** @param {Buffer} content @param {(bytes: number) => void} count */
function* inPieces(content, count) {
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const piece = content.subarray(at, at + PIECE_BYTES);
    yield piece;
    // Asked for the next, the connection has taken this one.
    count(piece.length);
  }
}

/**
 * Has a client count what its connections take. A try's count begins anew with the next one of the same part.
 *
 * @param {S3Client} client
 * @returns {() => number} bytes so far
 */
function countSent(client) {
  /** @type {Map<string, number>} */
  const sent = new Map();
  client.middlewareStack.add(
    (next) => (/** @type {any} */ args) => {
      const { request } = args;
      if (!Buffer.isBuffer(request.body)) return next(args);
      const part = String(request.query?.partNumber);
      sent.set(part, 0);
      const count = (/** @type {number} */ bytes) => sent.set(part, (sent.get(part) ?? 0) + bytes);
      // Behind what signs and what tries again, both of which want the Buffer.
      const body = Readable.from(inPieces(request.body, count), { objectMode: false });
      return next({ ...args, request: { ...request, body } });
    },
    { step: "deserialize", name: "countSent", priority: "low" },
  );
  return () => [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Has a client break off what it sends, and only that: what tells the server to forget is asked afterwards.
 *
 * @param {S3Client} client
 * @param {AbortSignal} signal
 */
function stopSendingOn(client, signal) {
  const send = client.send.bind(client);
  client.send = (/** @type {any} */ command) =>
    send(
      command,
      /^(UploadPart|PutObject)Command$/.test(command.constructor.name) ? { abortSignal: signal } : {},
    );
}

/**
 * Uploads an object, in parts if it is large, and tells how far it is at most once a second.
 *
 * @param {S3Client} client used for nothing else
 * @param {{ bucket: string, key: string, contentType?: string, source?: Asset, content?: string }} object
 * @param {{ signal: AbortSignal, log(line: string): Promise<void> }} call
 * @returns {Promise<string>} its ETag
 */
async function upload(client, { bucket, key, contentType, source, content }, { signal, log }) {
  const { body, total } = contentOf({ source, content });
  const { Upload } = require("@aws-sdk/lib-storage");
  const sent = countSent(client);
  stopSendingOn(client, signal);
  const work = new Upload({
    client,
    params: { Bucket: bucket, Key: key, Body: body, ContentType: contentType },
    partSize: Math.max(PART_BYTES, Math.ceil(total / MOST_PARTS)),
  });
  const progress = () => {
    const now = sent();
    const percent = Math.floor((100 * now) / total);
    return `${percent} %, ${Math.round(now / MIB)} of ${Math.round(total / MIB)} MiB of ${key}`;
  };
  let shown = progress();
  const timer = setInterval(() => {
    // A slow line sends less than a MiB between two reports: the same words again say nothing.
    const line = progress();
    if (line !== shown) void log(line);
    shown = line;
  }, REPORT_MS);
  const stopped = new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => pause(FORGET_MS, undefined, { ref: false }).then(reject), {
      once: true,
    });
  });
  try {
    const answer = await Promise.race([work.done(), stopped]);
    if (!answer.ETag) throw Object.assign(new Error("the answer names no ETag"), { name: "NoS3Answer" });
    return answer.ETag.replaceAll('"', "");
  } finally {
    clearInterval(timer);
  }
}

module.exports = { upload };
