import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../tools";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();

/** A cache of set-up's whose `packer` does as told; `$output` is its output folder. */
function cacheWith(script: string): string {
  const cache = join(folder, "set-up");
  const packer = join(cache, "bin", "packer");
  mkdirSync(join(cache, "bin"), { recursive: true });
  writeFileSync(
    packer,
    `#!/bin/sh
for argument; do
  case $argument in -var=output_directory=*) output=\${argument#*=*=} ;; esac
done
${script}
`,
  );
  chmodSync(packer, 0o755);
  return cache;
}

test("when Packer fails, its last words are shown, and all of them are kept with the serial log", async () => {
  const source = join(folder, "source.qcow2");
  writeFileSync(source, "not looked at");
  const cache = cacheWith(`
for i in $(seq 40); do echo "2026-11-25T20:44:40Z:     qemu.cloud-image: Setting up package $i"; done
echo "2026-11-25T20:46:00Z: ==> qemu.cloud-image: Timeout waiting for SSH." >&2
echo "2026-11-25T20:46:01Z: Build 'qemu.cloud-image' errored after 5 minutes 2 seconds: Timeout waiting for SSH."
echo "==> Some builds didn't complete successfully and had errors:"
echo "the guest spoke" >"$output.serial.log"
exit 1`);
  const base = join(folder, "base");
  const input = {
    key: "k",
    path: join(base, "k", "base.raw"),
    source: "cloud-image",
    sourcePath: source,
    sourceSha256: sha256Of("not looked at"),
    template: "packer/bootstrap.pkr.hcl",
    offline: true,
  };
  const { manifest, said } = await runStep("base", input, {
    BOOTSTRAP_PXE_CACHE: cache,
    ACCELERATOR: "tcg",
  });
  expect(manifest).toBeUndefined();
  const kept = (of: string) => join(base, `failed-build.${of}.log`);
  expect(said).toMatch(/^Timeout waiting for SSH\.$/m);
  expect(said).toMatch(/^Setting up package 40$/m);
  expect(said).not.toMatch(/Setting up package 1$/m);
  expect(said.trimEnd().split("\n").at(-1)).toBe(
    "base: building the base: packer ended with status 1: Timeout waiting for SSH. Packer's last words are above; all of them are in " +
      `${kept("packer")}, and what the machine said on its serial port beside it`,
  );
  expect(readFileSync(kept("packer"), "utf8")).toMatch(/Setting up package 1$/m);
  expect(readFileSync(kept("serial"), "utf8")).toBe("the guest spoke\n");
  expect(existsSync(input.path)).toBe(false);

  const altered = await runStep("base", { ...input, sourceSha256: "0".repeat(64) });
  expect(altered.said).toContain(
    `reading ${source}: its SHA-256 is ${input.sourceSha256}, and it was made with 000`,
  );
});
