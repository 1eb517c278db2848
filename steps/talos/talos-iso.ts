import { stat } from "node:fs/promises";
import { mainSection, peImage } from "./pe-image";
import { run, saidBy } from "../programs/process";
import { bytesOf, within, type Slice } from "./slice";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";

/**
 * Which files an ISO is booted with: GRUB's alone (1.9), those beside a unified kernel image (from 1.10 on), or the image alone
 * (Secure Boot, and profiles whose boot loader is sd-boot).
 */
export type IsoForm = "grub" | "hybrid" | "uki";

/** What a Talos ISO holds of what a machine boots, read where it lies. */
export interface TalosIso {
  form: IsoForm;
  /** ISO 9660's name of the volume; Talos's own names the release, such as TALOS_V1_11_6. */
  volumeId: string;
  kernel: Slice;
  initramfs: Slice;
  /** The kernel command line of the unified kernel image's first profile. */
  ukiCommandLine?: string;
  /** Text of `/boot/grub/grub.cfg`. */
  grubConfig?: string;
  /** Text of the unified kernel image's os-release, which names the release as VERSION_ID. */
  osRelease?: string;
}

const SECTOR = 2048;
/** ECMA-119, sections 8.4 and 8.4.7: the primary volume descriptor, and the name in it. */
const VOLUME_ID = { offset: 16 * SECTOR + 40, length: 32 };
/** The headers of an EFI program, and of a kernel. */
const HEAD = 1 << 16;

const KERNEL = "/boot/vmlinuz";
const INITRAMFS = "/boot/initramfs.xz";
const UKI = /^\/efi\/linux\/[^/]+\.efi$/i;

/** The files of an ISO by their paths, from the report of xorriso's `report_lba`. */
export function filesIn(report: string, iso: string): Map<string, Slice> {
  const row = /^File data lba:\s*0 ,\s*(\d+) ,\s*\d+ ,\s*(\d+) , '(.*)'$/gm;
  return new Map(
    [...report.matchAll(row)].map(([, sector, size, path = ""]) => [
      // xorriso quotes like a shell.
      path.replaceAll(`'"'"'`, "'"),
      { file: iso, start: Number(sector) * SECTOR, size: Number(size) },
    ]),
  );
}

/** What xorriso finds wrong with an ISO that it reads all the same, as far as it can. */
const complaintIn = (said: string) =>
  /: (?:WARNING|SORRY|MISHAP|FAILURE|FATAL) : (.*)/.exec(said)?.[1]?.trim();

/** The form of an ISO with these files, and its unified kernel image; undefined when it is no Talos ISO. */
export function formOf(paths: string[]): { form: IsoForm; uki?: string } | undefined {
  const hasFiles = paths.includes(KERNEL) && paths.includes(INITRAMFS);
  const uki = paths.filter((path) => UKI.test(path)).sort()[0];
  if (hasFiles) return { form: uki ? "hybrid" : "grub", uki };
  return uki ? { form: "uki", uki } : undefined;
}

/** The text of a section or file, without the zeros that may fill it up. */
async function textOf(slice: Slice | undefined): Promise<string | undefined> {
  return slice && (await bytesOf(slice)).toString().replace(/\0+$/, "");
}

/** The names of what lies at the top of an ISO. */
const topOf = (paths: string[]) => [...new Set(paths.map((path) => `/${path.split("/")[1]}`))].sort();

/**
 * Finds kernel, initramfs and command line on a Talos ISO.
 *
 * @throws StepError when it is no Talos ISO for amd64, or is cut short
 */
export async function openTalosIso(context: StepContext, iso: string): Promise<TalosIso> {
  const doing = `reading ${iso}`;
  const flags = ["-indev", iso, "-find", "/", "-type", "f", "-exec", "report_lba", "--"];
  const report = await run(context, "xorriso", flags).catch(saidBy(({ stderr }) => ({ stdout: "", stderr })));
  const complaint = complaintIn(report.stderr);
  const files = filesIn(report.stdout, iso);
  const paths = [...files.keys()];
  const found = formOf(paths);
  if (!found) {
    if (complaint)
      throw new StepError(
        doing,
        `it is cut short or damaged (xorriso: ${complaint})`,
        "Fetch it again, or set isoUrl",
      );
    throw new StepError(
      doing,
      `neither /boot/vmlinuz with /boot/initramfs.xz nor a /EFI/Linux/*.efi, but ${topOf(paths).join(", ") || "nothing"}`,
      "Set isoUrl to a Talos metal-amd64.iso, or unset it for the release's own",
    );
  }
  const { size } = await stat(iso);
  const whole = (what: string, slice: Slice): Slice => {
    const end = slice.start + slice.size;
    if (end <= size) return slice;
    const cut = `it is cut short: its ${what} ends at byte ${end}, and it has ${size} bytes`;
    throw new StepError(doing, cut, "Fetch it again, or set isoUrl");
  };
  const file = (path: string) => whole(path, files.get(path) as Slice);
  const uki = found.uki ? await openUki(doing, found.uki, file(found.uki)) : undefined;
  const grub = files.get("/boot/grub/grub.cfg");
  const { offset, length } = VOLUME_ID;
  return {
    form: found.form,
    volumeId: (await bytesOf({ file: iso, start: offset, size: length })).toString("latin1").trim(),
    kernel: found.form === "uki" && uki ? uki.kernel : file(KERNEL),
    initramfs: found.form === "uki" && uki ? uki.initramfs : file(INITRAMFS),
    ukiCommandLine: await textOf(uki?.commandLine),
    grubConfig: await textOf(grub && whole("/boot/grub/grub.cfg", grub)),
    osRelease: await textOf(uki?.osRelease),
  };
}

/** The sections of a unified kernel image's first profile. */
async function openUki(doing: string, path: string, image: Slice) {
  const pe = peImage(await bytesOf(within(image, 0, HEAD)));
  const section = (name: string) => {
    const found = pe && mainSection(pe.sections, name);
    if (!found) return undefined;
    const end = found.start + found.size;
    if (end <= image.size) return within(image, found.start, found.size);
    const cut = `its ${path} is cut short: ${name} ends at byte ${end}, and it has ${image.size} bytes`;
    throw new StepError(doing, cut, "Fetch it again, or set isoUrl");
  };
  const [kernel, initramfs] = [section(".linux"), section(".initrd")];
  if (!kernel || !initramfs) {
    const lacks = pe ? `it has no section ${kernel ? ".initrd" : ".linux"}` : "it is no EFI program";
    throw new StepError(
      doing,
      `its ${path} is no unified kernel image: ${lacks}`,
      "The ISO is damaged or not Talos; fetch it again or set isoUrl",
    );
  }
  return { kernel, initramfs, commandLine: section(".cmdline"), osRelease: section(".osrel") };
}
