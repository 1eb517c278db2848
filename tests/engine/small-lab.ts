import { mkdirSync, rmSync } from "node:fs";
import { Checkout } from "../checkout";
import { makeDisk, SEALED_ROOT } from "../steps/disk";
import { imageOf, imageSum, upEndsWell } from "./aftermath";
import { PackerStandIn } from "./packer-stand-in";

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
    const packer = new PackerStandIn(folder, await makeDisk(folder, SEALED_ROOT));
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
