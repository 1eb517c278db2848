import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { bucketFrom, providerArgs } from "../components/bucket";
import { reportProgress } from "../steps/lib/progress";
import type { StepContext } from "../steps/lib/step";
import { StepError } from "../steps/lib/step-error";
import { makeClient, nameOf } from "./plugins/s3-client.cjs";
import { whyRefused } from "./plugins/s3-faults.cjs";

/** Fewer than for an upload: somebody waits for the answer. */
const TRIES = 3;
const MORE = "docs/troubleshooting.md has more";
/** explainFull (steps/lib/room.ts) has words for them. */
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
  const client = makeClient(server);
  let done = 0;
  let stopTelling: (() => void) | undefined;
  try {
    const { signal } = context;
    const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket, Key }), {
      abortSignal: signal,
    });
    stopTelling = reportProgress(context, `of ${Key} downloaded`, () => done, ContentLength);
    const body = Body as Readable;
    body.on("data", (chunk: Buffer) => (done += chunk.length));
    await pipeline(body, createWriteStream(to, { mode: 0o600 }), { signal });
  } catch (fault) {
    context.signal.throwIfAborted();
    if (FULL.includes((fault as NodeJS.ErrnoException).code ?? "")) throw fault;
    throw new StepError(
      `downloading ${uri} from ${nameOf(server)}`,
      whyRefused(fault, "read", { maxAttempts: TRIES }),
      MORE,
    );
  } finally {
    stopTelling?.();
    client.destroy();
  }
}
