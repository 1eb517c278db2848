import { casesToRun } from "../in-full";
import { boot } from "./boot";
import type { Assembly, Images } from "./images";

/** An image with one fault, and what its rehearsal says. */
export interface Broken {
  inputs: (assembly: Assembly) => void | Promise<void>;
  /** Kernel arguments that the stack names, where they are not the demo's. */
  kernelArguments?: string[];
  /** SHA-256 of the config that the stack decrypted, where it is not the image's. */
  configSha256?: string;
  at: string;
  seen: RegExp;
  look: RegExp;
}

/**
 * Tests that each image is judged by its fault.
 *
 * @param named those of `cases` that `npm test` boots
 */
export function testBroken(images: Images, cases: Record<string, Broken>, named: string[]): void {
  test.each(casesToRun(cases, named))(
    "%s",
    async (_what, { inputs, kernelArguments, configSha256, at, seen, look }) => {
      const { path, machineConfig } = await images.make(inputs);
      const sha256 = configSha256 ?? machineConfig.sha256;
      const changes = kernelArguments && { kernelArguments };
      const { record } = await boot({ path, machineConfig: { ...machineConfig, sha256 } }, {}, changes);
      expect(record.diagnosis?.at).toBe(at);
      expect(record.diagnosis?.seen).toMatch(seen);
      expect(record.diagnosis?.look).toMatch(look);
      expect(record.passed).toBe(false);
      // Talos shows values of a config that it refuses on the screen, too.
      const pictures = record.screens.filter(({ machine }) => machine === "minipc").map(({ id }) => id);
      if (at === "accepted") expect(pictures).not.toContain("end");
    },
  );
}
