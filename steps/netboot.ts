import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import tar, { type Pack } from "tar-stream";
import * as z from "zod";
import { intact, manifestOf, partialBeside, publish, sha256File, sweepCache, verified } from "./lib/files";
import { initramfsFormat, kernelVersion } from "./lib/kernel-image";
import { grubArguments, ukiArguments } from "./lib/kernel-line";
import { run, saidBy } from "./lib/process";
import { squashfs } from "./lib/squashfs";
import { runStep, type StepContext } from "./lib/step";
import { StepError } from "./lib/step-error";

const Input = z.object({
  key: z.string(),
  /** The netboot layer's file. */
  path: z.string(),
  isoPath: z.string(),
  isoSha256: z.string(),
  talosVersion: z.string(),
});
type Request = z.output<typeof Input>;

interface Pair {
  kernel: string;
  initramfs: string;
}

async function listing(context: StepContext, iso: string, folder: string): Promise<string[]> {
  const found = await run(context, "xorriso", [
    "-indev",
    iso,
    "-find",
    folder,
    "-maxdepth",
    "1",
    "-exec",
    "echo",
    "--",
  ]).catch(saidBy(() => undefined));
  return (found?.stdout ?? "").split("\n").flatMap((row) => /^'(.*)'$/.exec(row)?.[1] ?? []);
}

async function extract(context: StepContext, iso: string, from: string, to: string): Promise<void> {
  await run(context, "xorriso", ["-osirrox", "on", "-indev", iso, "-extract", from, to]);
}

/** Secureboot, arm64 and some factory ISOs hold a unified kernel image only: kernel and initramfs are sections of it. */
async function fromUki(context: StepContext, iso: string, uki: string, folder: string): Promise<Pair> {
  const image = join(folder, "uki.efi");
  const pair = { kernel: join(folder, "vmlinuz"), initramfs: join(folder, "initramfs.xz") };
  await extract(context, iso, uki, image);
  const sections = [`.linux=${pair.kernel}`, `.initrd=${pair.initramfs}`].flatMap((section) => [
    "--dump-section",
    section,
  ]);
  await run(context, "objcopy", ["-O", "binary", ...sections, image, "/dev/null"]);
  return pair;
}

/**
 * The arguments that an ISO boots its kernel with: what a UEFI machine starts counts, its unified kernel image, and else
 * the first entry of GRUB's menu.
 */
async function kernelArguments(context: StepContext, iso: string, folder: string): Promise<string[]> {
  const uki = (await listing(context, iso, "/EFI/Linux")).find((name) => /\.efi$/i.test(name));
  if (uki) {
    const [image, section] = [join(folder, "uki.efi"), join(folder, "cmdline")];
    if (!existsSync(image)) await extract(context, iso, uki, image);
    const dump = ["-O", "binary", "--dump-section", `.cmdline=${section}`, image, "/dev/null"];
    await run(context, "objcopy", dump).catch(saidBy(() => undefined));
    if (existsSync(section)) return ukiArguments(readFileSync(section, "utf8"));
  }
  const menu = join(folder, "grub.cfg");
  await extract(context, iso, "/boot/grub/grub.cfg", menu).catch(saidBy(() => undefined));
  return (existsSync(menu) && grubArguments(readFileSync(menu, "utf8"))) || [];
}

async function takeOut(context: StepContext, request: Request, folder: string): Promise<Pair> {
  const { isoPath: iso } = request;
  const boot = await listing(context, iso, "/boot");
  if (boot.includes("/boot/vmlinuz") && boot.includes("/boot/initramfs.xz")) {
    await extract(context, iso, "/boot", join(folder, "boot"));
    return { kernel: join(folder, "boot/vmlinuz"), initramfs: join(folder, "boot/initramfs.xz") };
  }
  const uki = (await listing(context, iso, "/EFI/Linux")).find((name) => /\.efi$/i.test(name));
  if (uki) return fromUki(context, iso, uki, folder);
  const top = (await listing(context, iso, "/")).filter((name) => name !== "/");
  throw new StepError(
    `reading ${iso}`,
    `neither /boot/vmlinuz with /boot/initramfs.xz nor a /EFI/Linux/*.efi, but ${top.join(", ") || "nothing"}`,
    "Set isoUrl to a Talos metal-amd64.iso, or unset it for the release's own",
  );
}

async function head(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1 << 16), 0, 1 << 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Checks what came out, so that a bad ISO is found here and not by a mini-PC that restarts. */
async function inspect(context: StepContext, request: Request, pair: Pair) {
  const refuse = (what: string, found: string) =>
    new StepError(
      `checking the ${what} of ${request.isoPath}`,
      found,
      "The ISO is damaged or not Talos for amd64 metal; fetch it again or set isoUrl",
    );
  for (const file of [pair.kernel, pair.initramfs])
    if (!existsSync(file)) throw refuse(file === pair.kernel ? "kernel" : "initramfs", "it is not there");
  const kernel = kernelVersion(await head(pair.kernel));
  if ("wrong" in kernel) throw refuse("kernel", `${kernel.wrong}: no x86 bzImage`);
  const format = initramfsFormat(await head(pair.initramfs));
  if (!format) throw refuse("initramfs", "compressed neither with zstd, xz nor gzip");
  // A whole stream ends with its own checksum; each tool verifies it.
  await run(context, format, ["--test", "--quiet"], { input: createReadStream(pair.initramfs) }).catch(
    saidBy(() => {
      throw refuse(
        "initramfs",
        `its ${format} stream is damaged or cut short, ${statSync(pair.initramfs).size} bytes`,
      );
    }),
  );
  return { kernelVersion: kernel.version, initramfsFormat: format };
}

const fixed = { mtime: new Date(0), uid: 0, gid: 0 };

async function addFile(pack: Pack, name: string, file: string): Promise<void> {
  const entry = pack.entry({ ...fixed, name, mode: 0o644, size: statSync(file).size });
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), entry);
}

async function writeLayer(context: StepContext, version: string, pair: Pair, path: string): Promise<void> {
  const pack = tar.pack();
  const written = squashfs(context, pack, path);
  for (const name of ["talos", `talos/${version}`])
    pack.entry({ ...fixed, name, type: "directory", mode: 0o755 });
  await addFile(pack, `talos/${version}/vmlinuz`, pair.kernel);
  await addFile(pack, `talos/${version}/initramfs.xz`, pair.initramfs);
  pack.finalize();
  await written;
}

void runStep("netboot", Input, async (request, context) => {
  sweepCache(dirname(dirname(request.path)));
  const made = await verified(request.path, request.key);
  if (made) return manifestOf(request.path, made);

  if (intact(request.isoPath)?.sha256 !== request.isoSha256) {
    const next = "Run pulumi up again; give two stacks of one Talos version the same isoUrl";
    throw new StepError(`reading ${request.isoPath}`, "it is not the ISO that was fetched for this", next);
  }
  const work = await partialBeside(request.path);
  await mkdir(work, { recursive: true });
  const pair = await takeOut(context, request, work);
  const inspected = await inspect(context, request, pair);
  const facts = { ...inspected, kernelArguments: await kernelArguments(context, request.isoPath, work) };
  const layer = join(work, "layer");
  await writeLayer(context, request.talosVersion, pair, layer);
  const files = { vmlinuz: await sha256File(pair.kernel), "initramfs.xz": await sha256File(pair.initramfs) };
  const stamp = await publish(layer, request.path, request.key, { facts: { ...facts, files } });
  await rm(work, { recursive: true, force: true });
  context.log(
    `${Math.round(stamp.bytes / (1 << 20))} MiB: kernel ${facts.kernelVersion}, initramfs (${facts.initramfsFormat}), ` +
      (facts.kernelArguments.length > 0
        ? `${facts.kernelArguments.length} kernel arguments`
        : "and no kernel line in the ISO: it is started with what Talos demands alone"),
  );
  return manifestOf(request.path, stamp);
});
