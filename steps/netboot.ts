import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import type * as z from "zod";
import * as contract from "./contracts/netboot";
import { refuseAltered } from "./store/altered";
import { intact, manifestOf, partialBeside, publish, verified } from "./store/files";
import { judgeIso } from "../stack/image-factory";
import { archivesOf, InitramfsFault, type Archive } from "./talos/initramfs";
import { versionFault } from "./talos/iso-version";
import { kernelMachine, kernelVersion } from "./talos/kernel-image";
import { isoArguments } from "../stack/kernel-line";
import { sweepCache } from "./store/partials.cjs";
import { run, saidBy } from "./programs/process";
import { bytesOf, streamOf, within, type Slice } from "./talos/slice";
import { squashfsOf } from "./disk/squashfs";
import type { StepContext } from "./frame/context";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import { openTalosIso, type TalosIso } from "./talos/talos-iso";
import { MIB } from "../stack/mib";

type Request = z.output<typeof contract.Input>;

/** Linux's own name for the machine that the appliance serves. */
const MACHINE = "amd64";

/** Checks what is served, so that a bad ISO is found here and not by a mini-PC that hangs. */
async function inspect(context: StepContext, { isoPath }: Request, { kernel, initramfs }: TalosIso) {
  const refuse = (what: string, found: string) =>
    new StepError(
      `checking the ${what} of ${isoPath}`,
      found,
      "The ISO is damaged or not Talos for amd64 metal; fetch it again or set isoUrl",
    );
  const head = await bytesOf(within(kernel, 0, 1 << 16));
  const machine = kernelMachine(head);
  if (machine !== undefined && machine !== MACHINE)
    throw new StepError(
      `checking the kernel of ${isoPath}`,
      `this ISO is for ${machine}, and the appliance serves a mini-PC of ${MACHINE}`,
      "Set isoUrl to a metal-amd64.iso, or unset it for the release's own",
    );
  const version = kernelVersion(head, kernel.size);
  if ("wrong" in version) throw refuse("kernel", `${version.wrong}: no x86 bzImage`);
  const archives: Archive[] = [];
  try {
    for await (const archive of archivesOf(initramfs)) {
      archives.push(archive);
      await test(context, initramfs, archive, archives.length);
    }
  } catch (fault) {
    throw fault instanceof InitramfsFault ? refuse("initramfs", fault.message) : fault;
  }
  return {
    kernelVersion: version.version,
    initramfsFormat: archives.map(({ format }) => format).join(" + "),
    schematic: await schematicOf(context, initramfs, archives),
  };
}

/**
 * The schematic of an Image Factory's ISO, which is in the list of extensions behind Talos's own archive: the factory adds an
 * extension `schematic` whose version it is (siderolabs/image-factory, internal/profile).
 */
async function schematicOf(context: StepContext, initramfs: Slice, archives: Archive[]) {
  const [, ...behind] = archives.filter(({ format }) => format !== "cpio");
  for (const { format, start, size } of behind) {
    const input = streamOf(within(initramfs, start, size));
    const search = `"$0" --decompress --stdout --quiet | grep --text --after-context 1 'name: schematic$' || :`;
    const { stdout } = await run(context, "sh", ["-c", search, format], { input });
    const found = /version: "?([0-9a-f]{64})"?$/m.exec(stdout)?.[1];
    if (found) return found;
  }
  return undefined;
}

/** What a stack has to know of an ISO that may be right for it. */
function warningsOf(
  { isoPath, schematic }: Request,
  facts: { schematic?: string; kernelArguments?: string[] },
): string[] {
  const { fault, warning } = judgeIso(schematic, facts.schematic);
  if (fault)
    throw new StepError(
      `checking ${isoPath}`,
      fault,
      "Set talosSchematic to that of the ISO, or unset isoUrl for the Image Factory's own",
    );
  const noLine = "its kernel is started only with what Talos demands; add what else it needs with kernelArgs";
  return [
    ...(warning ? [warning] : []),
    ...(facts.kernelArguments?.length ? [] : [`${isoPath} names no kernel arguments, so ${noLine}`]),
  ];
}

/** A whole archive ends with its own checksum, which the tool of its format verifies. */
async function test(
  context: StepContext,
  initramfs: Slice,
  { format, start, size }: Archive,
  number: number,
) {
  if (format === "cpio") return;
  const input = streamOf(within(initramfs, start, size));
  await run(context, format, ["--test", "--quiet"], { input }).catch(
    saidBy(({ stderr }) => {
      const said = stderr.trim().split("\n").at(-1);
      throw new InitramfsFault(
        `its archive ${number} (${format}, from byte ${start} on, ${size} bytes) is damaged: ${said}`,
      );
    }),
  );
}

const fixed = { mtime: new Date(0), uid: 0, gid: 0 };

/** Adds a file and returns its SHA-256. */
async function addFile(pack: Pack, name: string, file: Slice): Promise<string> {
  const entry = pack.entry({ ...fixed, name, mode: 0o644, size: file.size });
  const hash = createHash("sha256");
  const hashed = new PassThrough().on("data", (piece: Buffer) => hash.update(piece));
  await pipeline(streamOf(file), hashed, entry);
  return hash.digest("hex");
}

/** Writes the layer and returns the SHA-256 of each file in it. */
function writeLayer(context: StepContext, version: string, iso: TalosIso, path: string) {
  const fill = async (pack: Pack) => {
    for (const name of ["talos", `talos/${version}`])
      pack.entry({ ...fixed, name, type: "directory", mode: 0o755 });
    return {
      vmlinuz: await addFile(pack, `talos/${version}/vmlinuz`, iso.kernel),
      "initramfs.xz": await addFile(pack, `talos/${version}/initramfs.xz`, iso.initramfs),
    };
  };
  return squashfsOf(context, fill, path);
}

void runStep("netboot", contract, async (request, context) => {
  sweepCache(dirname(dirname(request.path)));
  const made = await verified(request.path, request.key);
  if (made) {
    const warnings = warningsOf(request, made.facts ?? {});
    return contract.Manifest.parse({ ...manifestOf(request.path, made), warnings });
  }

  if (intact(request.isoPath)?.sha256 !== request.isoSha256) {
    const next = "Run pulumi up again; if that does not help, remove it";
    throw new StepError(`reading ${request.isoPath}`, "it is not the ISO that was fetched for this", next);
  }
  await refuseAltered(context, { path: request.isoPath, sha256: request.isoSha256 });
  const iso = await openTalosIso(context, request.isoPath);
  const otherVersion = versionFault(iso, request.talosVersion);
  if (otherVersion)
    throw new StepError(
      `checking ${request.isoPath}`,
      otherVersion,
      "Set talosVersion to that of the ISO, or isoUrl to the ISO of that version",
    );
  const facts = { ...(await inspect(context, request, iso)), kernelArguments: isoArguments(iso) };
  const warnings = warningsOf(request, facts);
  const layer = await partialBeside(request.path);
  const files = await writeLayer(context, request.talosVersion, iso, layer);
  const stamp = await publish(layer, request.path, request.key, { facts: { ...facts, files } });
  context.log(
    `${Math.round(stamp.bytes / MIB)} MiB: kernel ${facts.kernelVersion}, initramfs (${facts.initramfsFormat}), ` +
      `${facts.kernelArguments.length} kernel arguments`,
  );
  return { ...manifestOf(request.path, stamp), ...facts, files, warnings };
});
