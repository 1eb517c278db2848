import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { intact, manifestOf, publish, sha256File, verified, writeWhole } from "./lib/files";
import { whileLocked, run } from "./lib/process";
import { reportProgress } from "./lib/progress";
import { writesTo } from "./lib/room";
import { filePath, isFileUrl } from "./lib/source-url";
import { runStep, type StepContext } from "./lib/step";
import { StepError } from "./lib/step-error";

const Input = z.object({
  key: z.string(),
  /** Where the file goes. */
  path: z.string(),
  /** `https://…` or `file://…`; a relative path after file:// counts from the checkout's top. */
  url: z.string(),
  /** Expected SHA-256; unset, a recorded one or the list beside the source counts. */
  sha256: z.string().optional(),
  kind: z.enum(["iso", "qcow2"]),
  /** Digests by URL that come with the checkout. */
  lockFile: z.string().default("sources.lock.json"),
  /** Those that were recorded here at first use: a file of its own, so that no tracked one changes. */
  recordFile: z.string().default("sources.local.json"),
  /** Config keys that a person sets to mend a fault. */
  setKeys: z.object({ url: z.string(), sha256: z.string() }),
});
type Request = z.output<typeof Input>;

/** First bytes that tell a file's kind, by offset: ECMA-119 section 8.1, and QEMU's qcow2 specification. */
const MAGIC = {
  iso: { offset: 0x8001, bytes: Buffer.from("CD001"), name: "an ISO 9660 image" },
  qcow2: { offset: 0, bytes: Buffer.from([0x51, 0x46, 0x49, 0xfb]), name: "a qcow2 disk image" },
};
/** Names under which releases publish their checksums beside a file: Talos, then Ubuntu. */
const CHECKSUM_LISTS = ["sha256sum.txt", "SHA256SUMS"];

function digestsIn(file: string): Record<string, string> {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
}

/** The digest that is known of a URL, and the file that has it. */
function knownDigest({ url, lockFile, recordFile }: Request): { file: string; sha256: string } | undefined {
  for (const file of [lockFile, recordFile]) {
    const sha256 = digestsIn(file)[url];
    if (sha256) return { file, sha256 };
  }
  return undefined;
}

/** What lies under artifacts/ was made on this machine: its digest means nothing on another. */
function isMadeHere(url: string): boolean {
  return isFileUrl(url) && !relative(resolve("artifacts"), filePath(url)).startsWith("..");
}

async function record(context: StepContext, request: Request, sha256: string): Promise<void> {
  const { url, recordFile } = request;
  if (isMadeHere(url) || knownDigest(request)?.sha256 === sha256) return;
  await whileLocked(context, dirname(recordFile), async () => {
    const digests = { ...digestsIn(recordFile), [url]: sha256 };
    const sorted = Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1)));
    await writeWhole(recordFile, `${JSON.stringify(sorted, undefined, 2)}\n`);
  });
}

const curl = (...args: string[]) => [
  "--fail",
  "--location",
  "--silent",
  "--show-error",
  "--connect-timeout",
  "20",
  ...args,
];
const TRIES = 6;
const RETRY_SECONDS = Number(process.env.BOOTSTRAP_PXE_RETRY_SECONDS ?? 3);
/** What is downloaded cannot be written (curl(1), exit code 23). */
const CANNOT_WRITE = /^\(23\)/;
/** A server's final word, unlike 408 and 429; see RFC 9110, section 15.5. */
const REFUSAL = /returned error: 4(?!08|29|16)\d\d/;
/** A server without ranges, or a file that is whole already. */
const CANNOT_RESUME = /returned error: 416|byte ranges/;

async function readList(context: StepContext, url: string): Promise<string | undefined> {
  if (isFileUrl(url)) return existsSync(filePath(url)) ? readFileSync(filePath(url), "utf8") : undefined;
  return run(context, "curl", curl(url)).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

/** The checksum that the release itself publishes, in the form of sha256sum(1). */
async function publishedDigest(context: StepContext, url: string): Promise<string | undefined> {
  const file = basename(new URL(url, "file:///").pathname);
  for (const list of CHECKSUM_LISTS) {
    const text = await readList(context, `${url.slice(0, url.lastIndexOf("/"))}/${list}`);
    const line = text?.split("\n").find((row) => row.replace(/^\S+\s+\*?(\.\/)?/, "") === file);
    const found = /^([0-9a-f]{64})\s/i.exec(line ?? "")?.[1];
    if (found) return found.toLowerCase();
  }
  return undefined;
}

async function expectedDigest(context: StepContext, request: Request): Promise<string | undefined> {
  const known = knownDigest(request);
  if (request.sha256 && known && request.sha256 !== known.sha256) {
    throw new StepError(
      `checking ${request.url}`,
      `${request.setKeys.sha256} says ${request.sha256}, but ${known.file} recorded ${known.sha256} at its first use`,
      `Remove its line from ${known.file} if the new one is meant`,
    );
  }
  const expected = request.sha256 ?? known?.sha256 ?? (await publishedDigest(context, request.url));
  if (expected || isFileUrl(request.url)) return expected;
  throw new StepError(
    `checking ${request.url}`,
    "no checksum list beside it that names it, and none configured",
    `Set it: pulumi config set ${request.setKeys.sha256} SHA256`,
  );
}

async function sizeOf(context: StepContext, url: string): Promise<number | undefined> {
  const head = await run(context, "curl", curl("--head", url)).catch(() => undefined);
  const lengths = [...(head?.stdout ?? "").matchAll(/^content-length:\s*(\d+)/gim)];
  return lengths.length > 0 ? Number(lengths.at(-1)?.[1]) : undefined;
}

/** Downloads with retries; each goes on where the one before, or a killed run, stopped. */
async function download(context: StepContext, request: Request, partial: string): Promise<void> {
  const stopTelling = reportProgress(
    context,
    `of ${basename(request.path)} fetched`,
    () => statSync(partial, { throwIfNoEntry: false })?.size ?? 0,
    await sizeOf(context, request.url),
  );
  const get = () => run(context, "curl", curl("--continue-at", "-", "--output", partial, request.url));
  try {
    for (let tries = 1; ; tries++) {
      const words = await get().then(() => undefined, curlWords);
      if (words === undefined) return;
      context.signal.throwIfAborted();
      if (tries === TRIES || [REFUSAL, CANNOT_WRITE].some((final) => final.test(words))) {
        const next = `Run the same again to go on from here, or set ${request.setKeys.url} to a mirror or a file://`;
        throw new StepError(`fetching ${request.url}`, words, next);
      }
      if (CANNOT_RESUME.test(words)) await rm(partial, { force: true });
      context.log(`${words}; trying again in ${RETRY_SECONDS} s`);
      await pause(RETRY_SECONDS * 1000, undefined, { signal: context.signal });
    }
  } finally {
    stopTelling();
  }
}

/** What curl said, without this program's words around it. */
function curlWords(fault: unknown): string {
  return (fault as Error).message.replace(/^.*?curl: /s, "").replace(/\. (See above|BOOTSTRAP).*/s, "");
}

/** What a file that is not what it should be looks like. */
function looks(path: string, kind: Request["kind"]): string | undefined {
  const { offset, bytes, name } = MAGIC[kind];
  const head = Buffer.alloc(offset + bytes.length);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.subarray(offset).equals(bytes)) return undefined;
  return /<(!doctype\s+html|html|head|body)/i.test(head.subarray(0, 1024).toString())
    ? "a page of HTML"
    : `not ${name}`;
}

async function check(request: Request, partial: string, expected: string | undefined): Promise<string> {
  const bytes = statSync(partial).size;
  const wrongKind = looks(partial, request.kind);
  const sha256 = await sha256File(partial);
  if (wrongKind || (expected && sha256 !== expected)) {
    await rm(partial, { force: true });
    const found = wrongKind
      ? `${wrongKind}, ${bytes} bytes`
      : `${bytes} bytes with the SHA-256 ${sha256}, expected ${expected}`;
    const next = wrongKind
      ? `See where ${request.setKeys.url} points to; a login page or a wrong link answers like this`
      : `The file is damaged, cut short or another one; if it is the right one, set ${request.setKeys.sha256}`;
    throw new StepError(`checking what ${request.url} gave`, `${found}. Nothing of it was kept`, next);
  }
  return sha256;
}

void runStep("fetch", Input, async (request, context) => {
  const here = await verified(request.path, request.key);
  if (here) return manifestOf(request.path, here);

  const expected = await expectedDigest(context, request);
  await mkdir(dirname(request.path), { recursive: true });
  if (
    existsSync(request.path) &&
    !intact(request.path) &&
    expected &&
    (await sha256File(request.path)) === expected
  ) {
    context.log(`${request.path} is there already, with the right checksum`);
    await record(context, request, expected);
    return manifestOf(
      request.path,
      await publish(request.path, request.path, request.key, { sha256: expected }),
    );
  }
  writesTo(dirname(request.path));
  // Not named by process, so that a later run can go on where a killed one stopped.
  const partial = join(dirname(request.path), `.${basename(request.path)}.download`);
  if (isFileUrl(request.url)) {
    const source = filePath(request.url);
    if (!existsSync(source))
      throw new StepError(
        `fetching ${request.url}`,
        "no such file",
        `Put it there or set ${request.setKeys.url}`,
      );
    await run(context, "cp", ["--reflink=auto", source, partial]);
  } else {
    await download(context, request, partial);
  }
  const sha256 = await check(request, partial, expected);
  await record(context, request, sha256);
  return manifestOf(request.path, await publish(partial, request.path, request.key, { sha256 }));
});
