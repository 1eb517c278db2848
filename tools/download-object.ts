import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketFrom, providerArgs } from "../components/bucket";
import { reportProgress } from "../steps/lib/progress";
import type { StepContext } from "../steps/lib/step";
import { StepError } from "../steps/lib/step-error";
import { whyRefused } from "./plugins/s3-faults.cjs";

const TRIES = 3;
const MORE = "docs/troubleshooting.md has more";

/**
 * Downloads an object to a file that only its owner reads, from the server and with the key that the environment names.
 *
 * @param uri `s3://BUCKET/KEY`
 * @throws StepError when it cannot be had
 */
export async function downloadObject(context: StepContext, uri: string, to: string): Promise<void> {
  const { hostname: Bucket, pathname } = new URL(uri);
  const Key = decodeURIComponent(pathname.slice(1));
  const { region, endpoints, s3UsePathStyle, profile, sharedConfigFiles } = providerArgs(
    bucketFrom(process.env),
    process.env,
  );
  if (sharedConfigFiles) [process.env.AWS_CONFIG_FILE] = sharedConfigFiles;
  const endpoint = endpoints?.[0]?.s3;
  const client = new S3Client({
    region,
    endpoint,
    profile,
    forcePathStyle: s3UsePathStyle,
    maxAttempts: TRIES,
  });
  let done = 0;
  let stopTelling: (() => void) | undefined;
  try {
    const { signal } = context;
    const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket, Key }), {
      abortSignal: signal,
    });
    stopTelling = reportProgress(context, Key, () => done, ContentLength);
    const body = Body as Readable;
    body.on("data", (chunk: Buffer) => (done += chunk.length));
    await pipeline(body, createWriteStream(to, { mode: 0o600 }), { signal });
  } catch (fault) {
    context.signal.throwIfAborted();
    const where = endpoint ?? `S3 in ${region}`;
    throw new StepError(`downloading ${uri} from ${where}`, whyRefused(fault, "read", { maxAttempts: TRIES }), MORE);
  } finally {
    stopTelling?.();
    client.destroy();
  }
}
