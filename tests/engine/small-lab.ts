import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { Checkout } from "../checkout";
import { makeDisk, SEALED_ROOT } from "../steps/disk";
import { imageOf, imageSum, upEndsWell } from "./aftermath";
import { PackerStandIn } from "./packer-stand-in";

/** `int 18h`: a boot sector's word to the BIOS that it boots nothing (BIOS Boot Specification, 6.7); without it, no firmware says so. */
const BOOT_FAILED = Buffer.from([0xcd, 0x18]);

/**
 * A checkout with a stack `lab` on small inputs: its base is a disk of 16 MiB that nothing boots, handed out by a stand-in
 * for Packer, so that a whole `up` takes seconds.
 */
export class SmallLab {
  private constructor(
    readonly checkout: Checkout,
    readonly packer: PackerStandIn,
    /** SHA-256 of the image that `lab` makes. */
    readonly reference: string,
  ) {}

  /** Only the checkout with its small inputs, without a stack. */
  static async bare(): Promise<Pick<SmallLab, "checkout" | "packer">> {
    const checkout = new Checkout();
    const folder = checkout.path("artifacts/packer-stand-in");
    mkdirSync(folder);
    const disk = await makeDisk(folder, SEALED_ROOT);
    const file = openSync(disk, "r+");
    writeSync(file, BOOT_FAILED, 0, BOOT_FAILED.length, 0);
    closeSync(file);
    const packer = new PackerStandIn(folder, disk);
    checkout.use({ BOOTSTRAP_PXE_CACHE: packer.cache });
    rmSync(checkout.path("artifacts/cache/base"), { recursive: true });
    return { checkout, packer };
  }

  static async make(): Promise<SmallLab> {
    const { checkout, packer } = await SmallLab.bare();
    await checkout.stack("lab");
    await upEndsWell(checkout);
    return new SmallLab(checkout, packer, imageSum(checkout));
  }

  /** Takes away all that `up` made, but the base's source. */
  forget(): void {
    for (const made of ["artifacts/talos", "artifacts/cache/netboot", "artifacts/cache/base"])
      rmSync(this.checkout.path(made), { recursive: true, force: true });
    rmSync(imageOf(this.checkout), { force: true });
  }

  remove(): void {
    this.checkout.remove();
  }
}
