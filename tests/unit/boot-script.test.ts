import * as pulumi from "@pulumi/pulumi";
import { bootScript } from "../../components/boot-script";
import type { NetbootAssets } from "../../components/NetbootAssets";
import { checkConfig } from "../../stack/config";

const ISO = ["talos.platform=metal", "slab_nomerge=", "pti=on", "vlan=eth0.5:eth0"];

/** What is warned of where the ISO is unpacked, or not yet. */
async function warned(config: Record<string, string>, isUnpacked: boolean): Promise<unknown[]> {
  const said = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
  const layer = { kernelArguments: ISO };
  const netboot = {
    known: isUnpacked ? layer : undefined,
    layer: isUnpacked ? pulumi.output(layer) : pulumi.output(new Promise(() => undefined)),
  };
  const { line } = bootScript(
    checkConfig({ bootstrapVersion: "2025-12-17", minipcMac: "52:54:00:12:34:ab", ...config }, "lab"),
    netboot as unknown as NetbootAssets,
  );
  if (isUnpacked) await new Promise<void>((done) => line.apply(() => done()));
  const lines = said.mock.calls.map(([words]) => words);
  said.mockRestore();
  return lines;
}

test("what is odd in the kernel line is told once, what the stack adds before the ISO is unpacked", async () => {
  const vlan = expect.stringMatching(
    /^the kernel line has vlan=eth0\.5:eth0: .* \(kernel-line: acceptWarnings /,
  ) as string;
  const ip = expect.stringContaining("the kernel line has ip=10.0.0.5: ") as string;
  expect(await warned({}, true)).toEqual([vlan]);
  expect(await warned({ kernelArgs: "-vlan" }, true)).toEqual([]);
  expect(await warned({ kernelArgs: "ip=10.0.0.5" }, false)).toEqual([ip]);
  expect(await warned({ kernelArgs: "ip=10.0.0.5" }, true)).toEqual([vlan, ip]);
  expect(await warned({ kernelArgs: "ip=10.0.0.5", acceptWarnings: "kernel-line" }, true)).toEqual([]);
});
