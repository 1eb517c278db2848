import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeContext } from "../../tools/setup/context.cjs";
import { writeStamp, type Stamp } from "../../tools/setup/stamps.cjs";

/** Behind the partition table (UEFI 2.10, section 5.3) and before the first partition. */
const UNUSED_SECTOR = 40;

/**
 * A cache folder of set-up's whose `packer` takes seconds: it hands out a base that Packer made before, in place of the
 * minutes that a guest takes. It serves where a test is about when Packer runs, not about what it makes.
 */
export class PackerStandIn {
  readonly cache: string;

  /**
   * @param folder where it goes
   * @param base a base layer that Packer made
   */
  constructor(
    private readonly folder: string,
    base: string,
  ) {
    const real = makeContext().cache;
    this.cache = join(folder, "set-up");
    mkdirSync(this.cache);
    const replaced: Record<string, string> = { bin: "packer", stamps: "packer.json" };
    for (const name of readdirSync(real).filter((name) => !(name in replaced)))
      symlinkSync(join(real, name), join(this.cache, name));
    for (const [inner, leftOut] of Object.entries(replaced)) {
      mkdirSync(join(this.cache, inner));
      for (const name of readdirSync(join(real, inner)).filter((name) => name !== leftOut))
        symlinkSync(join(real, inner, name), join(this.cache, inner, name));
    }
    // A link of its own: the test may spoil the other.
    const held = join(folder, "base.raw");
    linkSync(base, held);
    const script = `#!/bin/sh
set -eu
for argument; do
  case $argument in -var=output_directory=*) output=\${argument#*=*=} ;; esac
done
echo "$*" >>'${this.log}'
mkdir -p "$output"
cp --sparse=always '${held}' "$output/base.raw"
[ ! -e '${this.markFile}' ] || dd if='${this.markFile}' of="$output/base.raw" bs=512 seek=${UNUSED_SECTOR} conv=notrunc status=none
while [ -e '${this.brake}' ]; do sleep 0.05; done
`;
    const program = join(this.cache, "bin", "packer");
    writeFileSync(program, script, { mode: 0o755 });
    // Set-up must not bring the real one in its place.
    const stamp = JSON.parse(readFileSync(join(real, "stamps", "packer.json"), "utf8")) as Stamp;
    if (stamp.from !== "machine") writeStamp(this.cache, "packer", { ...stamp, paths: [program] });
    else symlinkSync(join(real, "stamps", "packer.json"), join(this.cache, "stamps", "packer.json"));
    this.forget();
  }

  private get log(): string {
    return join(this.folder, "packer-runs");
  }

  private get brake(): string {
    return join(this.folder, "packer-waits");
  }

  private get markFile(): string {
    return join(this.folder, "packer-mark");
  }

  /** Has every run from now on make a base that differs from the others, as a real one's dates do; unset, the same again. */
  mark(text?: string): void {
    if (text === undefined) rmSync(this.markFile, { force: true });
    else writeFileSync(this.markFile, text);
  }

  /** Has every run wait from now on, until it is released. */
  hold(): void {
    writeFileSync(this.brake, "");
  }

  release(): void {
    rmSync(this.brake, { force: true });
  }

  /** How often it ran since it was last asked to forget. */
  runs(): number {
    return readFileSync(this.log, "utf8").split("\n").filter(Boolean).length;
  }

  forget(): void {
    rmSync(this.log, { force: true });
    writeFileSync(this.log, "");
  }
}
