import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { bucketFrom, providerArgs, strayInKey } from "../stack/bucket";
import { reportProgress } from "../steps/frame/progress";
import type { StepContext } from "../steps/frame/context";
import { StepError } from "../steps/frame/step-error";
import { LEAST_BYTES_PER_SECOND, transferLimits } from "../steps/store/transfer.cjs";
import { makeClient, nameOf } from "../tools/plugins/s3-client.cjs";
import { whyRefused } from "../tools/plugins/s3-faults.cjs";

/**
 * Watches what a transfer brings; the SDK's own limit ends with the answer's header.
 *
 * @param done bytes so far
 * @returns its signal, aborted when it brings less than a trickle for as long as the limit on stalls; and what ends the watch
 */
function watchForStall(done: () => number): { signal: AbortSignal; stop: () => void } {
  const { stall } = transferLimits();
  const [given, words] = [
    new AbortController(),
    `less than ${stall * LEAST_BYTES_PER_SECOND} bytes in ${stall} s`,
  ];
  let before = 0;
  const timer = setInterval(() => {
    const now = done();
    if (now - before < stall * LEAST_BYTES_PER_SECOND)
      given.abort(Object.assign(new Error(words), { name: "TimeoutError" }));
    before = now;
  }, stall * 1000);
  return { signal: given.signal, stop: () => clearInterval(timer) };
}

/** Fewer than for an upload: somebody waits for the answer. */
const TRIES = 3;
const MORE = "docs/troubleshooting.md has more";
/** explainFull (steps/frame/room.ts) has words for them. */
const FULL = ["ENOSPC", "EDQUOT"];

/**
 * Downloads an object to a file that only its owner reads, with the key that the environment names.
 *
 * @param uri `s3://BUCKET/KEY`
 * @param place the server, where it is not the one that the environment names
 * @throws StepError when it cannot be had
 */
export async function downloadObject(
  context: StepContext,
  uri: string,
  to: string,
  place: { endpoint?: string; region?: string } = {},
): Promise<void> {
  const { hostname: Bucket, pathname } = new URL(uri);
  const Key = decodeURIComponent(pathname.slice(1));
  const server = {
    ...providerArgs({ ...bucketFrom(process.env), ...place }, process.env),
    maxRetries: TRIES,
  };
  const doing = `downloading ${uri} from ${nameOf(server)}`;
  const stray = strayInKey(process.env);
  if (stray) throw new StepError(doing, stray, "Set it anew, without");
  const client = await makeClient(server).catch((fault: Error) => {
    throw new StepError(doing, whyRefused(fault, "read", { maxAttempts: TRIES, server }), MORE);
  });
  let done = 0;
  const stops: (() => void)[] = [];
  try {
    const { signal } = context;
    const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket, Key }), {
      abortSignal: signal,
    });
    const watch = watchForStall(() => done);
    stops.push(
      watch.stop,
      reportProgress(context, `of ${Key} downloaded`, () => done, ContentLength),
    );
    const body = Body as Readable;
    body.on("data", (chunk: Buffer) => (done += chunk.length));
    const file = createWriteStream(to, { mode: 0o600 });
    await pipeline(body, file, { signal: AbortSignal.any([signal, watch.signal]) }).catch((fault: Error) => {
      throw watch.signal.aborted ? (watch.signal.reason as Error) : fault;
    });
  } catch (fault) {
    context.signal.throwIfAborted();
    if (FULL.includes((fault as NodeJS.ErrnoException).code ?? "")) throw fault;
    throw new StepError(doing, whyRefused(fault, "read", { maxAttempts: TRIES, server }), MORE);
  } finally {
    for (const stop of stops) stop();
    client.destroy();
  }
}
