import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readStackFile } from "../stack/stack-files";
import { sha256File } from "../steps/store/files";
import { counted } from "../components/images-sentence";
import type { StepContext } from "../steps/frame/context";
import { runProgram } from "../steps/frame/main";
import { StepError } from "../steps/frame/step-error";
import { callerPath } from "./caller-path";
import { readCommandLine } from "./command-line.cjs";
import { VERIFY } from "./commands.cjs";
import { downloadObject } from "./download-object";
import { imageFacts, type ImageFacts } from "./image-facts";
import { makeWorkFolder, rawOf } from "./raw-image";

/**
 * Where a stack's config says that its bucket is.
 *
 * @throws StepError when there is no such stack here
 */
function placeOf(stack: string): { endpoint?: string; region?: string } {
  const path = `Pulumi.${stack}.yaml`;
  if (!existsSync(path))
    throw new StepError(`reading ${path}`, "there is no such file", "See that the stack's name is right");
  const { endpoint, region } = readStackFile(".", stack).given;
  return { endpoint: endpoint || undefined, region: region || undefined };
}

/** The digest that the SHA256SUMS in a folder has for a file, in the form of sha256sum(1). */
function listedDigest(folder: string, name: string): string | undefined {
  const list = join(folder, "SHA256SUMS");
  const lines = existsSync(list) ? readFileSync(list, "utf8").split("\n") : [];
  return lines.find((line) => line.slice(66) === name)?.slice(0, 64);
}

/** @throws StepError when the file's content is not the listed one */
async function holdToList(context: StepContext, file: string, name: string, listed: string): Promise<void> {
  const found = await sha256File(file, context.signal);
  if (found !== listed)
    throw new StepError(
      `checking ${name}`,
      `its SHA-256 is ${found}, SHA256SUMS has ${listed}`,
      "Copy it anew: this one is damaged or of another build",
    );
  context.log(`${name}: SHA-256 ${found}, as SHA256SUMS has it`);
}

function inWords({ minipcMac, minipcIp, talosVersion, bootstrapVersion, images, ...facts }: ImageFacts) {
  return [
    `partitions: ${facts.partitions.join("; ")}`,
    `This is the appliance ${bootstrapVersion} for the mini-PC ${minipcMac}: it leases it ${minipcIp} and boots ` +
      `Talos ${talosVersion} on it.`,
    `The appliance is ${facts.applianceCidr} on the isolated link and gives the mini-PC ` +
      (facts.uplink ? "NAT, DNS and time." : "time, but no way out."),
    ...(images ? [`It serves ${counted(images)}.`] : []),
  ];
}

/** @param named as the person named it */
async function verifyFile(context: StepContext, file: string, named: string): Promise<object> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new StepError(
      `verifying ${named}`,
      "there is no such file",
      `Right: ${VERIFY.usage.split("\n")[0]}`,
    );
  const [folder, name] = [dirname(file), basename(file)];
  const listed = listedDigest(folder, name);
  if (!listed)
    throw new StepError(
      `verifying ${named}`,
      "no SHA256SUMS beside it has its name",
      "Put the one that was made with it there, and keep the file's name",
    );
  await holdToList(context, file, name, listed);
  const raw = await rawOf(context, file, () => makeWorkFolder("verify"));
  const listedRaw = raw === file ? undefined : listedDigest(folder, basename(raw));
  if (listedRaw) await holdToList(context, raw, basename(raw), listedRaw);
  const facts = await imageFacts(context, raw);
  for (const line of inWords(facts)) context.log(line);
  return { file: named, sha256: listed, bytes: statSync(file).size, ...facts };
}

/** Downloads an object with its checksums and verifies it; the copy goes afterwards. */
async function verifyObject(context: StepContext, uri: string, stack?: string): Promise<object> {
  const place = stack === undefined ? {} : placeOf(stack);
  const folder = makeWorkFolder("verify");
  const at = uri.lastIndexOf("/") + 1;
  const file = join(folder, uri.slice(at));
  await downloadObject(context, `${uri.slice(0, at)}SHA256SUMS`, join(folder, "SHA256SUMS"), place);
  await downloadObject(context, uri, file, place);
  return verifyFile(context, file, uri);
}

void runProgram("verify", async (context) => {
  const { values, positionals } = readCommandLine(VERIFY);
  const [image = ""] = positionals;
  const facts = image.startsWith("s3://")
    ? await verifyObject(context, image, values.stack)
    : await verifyFile(context, callerPath(image), image);
  return values.json ? facts : undefined;
});
