import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import * as z from "zod";
import * as contract from "./contracts/base";
import { chooseAccelerator, QEMU_BOUND } from "./programs/accelerator";
import { refuseAltered } from "./store/altered";
import { manifestOf, partialBeside, publish, verified } from "./store/files";
import { inspectBase } from "./disk/inspect-base";
import { packersWords, phaseOf, reasonIn } from "./programs/packer-words";
import { sweepCache } from "./store/partials.cjs";
import { failureOf, run } from "./programs/process";
import { figure, follow } from "./frame/progress";
import { needRoom } from "./frame/room";
import { shrink } from "./disk/shrink";
import type { StepContext } from "./frame/context";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import { MIB } from "../stack/mib";

/** How QEMU runs guests: a setting of the machine, so it is no part of what the base is made from. */
const Accelerator = z.enum(["auto", "kvm", "hvf", "tcg"]).default("auto");

/**
 * Room that a build takes at its most, in sizes of its compressed source: the guest's disk and its shrunk copy, 1.2 GiB for
 * the demo's 194 MiB.
 */
const BUILD_TO_SOURCE = 6;

/** Last lines of Packer's that are shown when it failed. */
const LAST_WORDS = 20;

/** Bytes of a sparse file that are on disk; stat(2) counts in 512. */
const allocatedBytes = (path: string) => 512 * (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0);

/** Runs Packer with a key pair of this build alone; returns the raw disk. */
async function packerBuild(
  context: StepContext,
  input: z.output<typeof contract.Input>,
  output: string,
): Promise<string> {
  const key = join(context.scratch, "build-key");
  await run(context, "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bootstrap-pxe-build", "-f", key]);
  const accelerator = await chooseAccelerator(context, Accelerator.parse(process.env.ACCELERATOR));
  // Packer reads a path as a URL, where # and % of a checkout's path mean something else.
  const source = join(context.scratch, basename(input.sourcePath));
  await symlink(resolve(input.sourcePath), source);
  const variables = {
    source_path: source,
    source_sha256: input.sourceSha256,
    output_directory: output,
    ssh_private_key_file: key,
    ssh_public_key: (await readFile(`${key}.pub`, "utf8")).trim(),
    qemu_binary: QEMU_BOUND,
    accelerator,
    offline: String(input.offline),
  };
  context.log(`Packer, from ${input.sourcePath}, with ${accelerator}`);
  const flags = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);
  const build = [
    ...["build", "-color=false", "-timestamp-ui", `-only=qemu.${input.source}`],
    ...[...flags, input.template],
  ];
  const serialLog = `${output}.serial.log`;
  const disk = join(output, "base.raw");
  const said: string[] = [];
  let phase = "Packer starts";
  const onLine = (line: string) => {
    phase = phaseOf(line) ?? phase;
    said.push(line);
  };
  const stopTelling = follow(context, () => `${figure(allocatedBytes(disk))} written; ${phase}`);
  try {
    const env = { CHECKPOINT_DISABLE: "1", PACKER_CACHE_DIR: `${output}.packer-cache` };
    await run(context, "packer", build, { env, onLine });
  } catch (fault) {
    context.signal.throwIfAborted();
    const { exitCode, stderr } = failureOf(fault);
    if (exitCode === undefined) throw fault;
    const kept = (of: string) => join(dirname(dirname(input.path)), `failed-build.${of}.log`);
    await writeFile(kept("packer"), `${said.join("\n")}\n`);
    if (existsSync(serialLog)) await rename(serialLog, kept("serial"));
    else await rm(kept("serial"), { force: true });
    const last = said.slice(-LAST_WORDS);
    // Two pipes: what it complained of may have come before much else.
    const complaints = stderr.split("\n").slice(-LAST_WORDS);
    for (const line of [...last, ...complaints.filter((line) => !last.includes(line))])
      if (line) context.log(packersWords(line));
    const next = `Packer's last words are above; all of them are in ${kept("packer")}, and what the machine said on its serial port beside it`;
    const reason = said
      .flatMap((line) => reasonIn(line) ?? [])
      .at(0)
      ?.replace(/\.$/, "");
    const found = `packer ended with status ${exitCode}${reason ? `: ${reason}` : ""}`;
    throw new StepError("building the base", found, next, { cause: fault });
  } finally {
    stopTelling();
  }
  await rm(`${output}.packer-cache`, { recursive: true, force: true });
  return disk;
}

void runStep("base", contract, async (input, context) => {
  const cache = dirname(dirname(input.path));
  sweepCache(cache);
  const made = await verified(input.path, input.key);
  if (made) return contract.Manifest.parse(manifestOf(input.path, made));

  await refuseAltered(context, { path: input.sourcePath, sha256: input.sourceSha256 });
  // QEMU stops a guest whose disk cannot grow, and Packer would wait for it.
  await needRoom(cache, BUILD_TO_SOURCE * statSync(input.sourcePath).size);
  const work = await partialBeside(input.path);
  await mkdir(work, { recursive: true });
  const disk = await packerBuild(context, input, join(work, "out"));
  const result = join(work, "base.raw");
  context.log("shrinking the disk that Packer made");
  const contentBytes = await shrink(context, disk, result);
  context.log("looking for what the build left in it");
  const faults = await inspectBase(context, result);
  if (faults.length > 0) {
    throw new StepError(
      "checking the base that Packer made",
      faults.join("; "),
      "packer/appliance/seal removes such things; fix it there",
    );
  }
  const stamp = await publish(result, input.path, input.key, { facts: { contentBytes } });
  await rm(work, { recursive: true, force: true });
  context.log(`${Math.round(stamp.bytes / MIB)} MiB, of which content ${Math.round(contentBytes / MIB)} MiB`);
  return { ...manifestOf(input.path, stamp), contentBytes };
});
