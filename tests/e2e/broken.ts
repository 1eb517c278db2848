import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bootsToRun } from "../in-full";
import { firstBroken } from "../../rehearsal/broken-proof";
import type { Rehearsal } from "../../rehearsal/course";
import { boot } from "./boot";
import type { Assembly, Images } from "./images";

/** An image with one fault, and what its rehearsal says. */
export interface Broken {
  /** What is spoiled before the image is put together. */
  inputs?: (assembly: Assembly) => void | Promise<void>;
  /** What is spoiled in the finished image. */
  image?: (path: string) => unknown;
  /** With a twin where it is named. */
  hardware?: Rehearsal["hardware"];
  /** Kernel arguments that the stack names, where they are not the demo's. */
  kernelArguments?: string[];
  /** SHA-256 of the config that the stack decrypted, where it is not the image's. */
  configSha256?: string;
  /** What no file of the evidence may hold. */
  unseen?: string;
  at: string | RegExp;
  seen: RegExp;
  /** What the evidence of milestones says that were reached. */
  reached?: Record<string, RegExp>;
  /** Further proofs that do not hold, and what is said where each is the only one. */
  unproved?: Record<string, { seen: RegExp; look: RegExp }>;
  look: RegExp;
}

/** All that a rehearsal kept, file by file. */
const evidence = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), "latin1"));

/**
 * Tests that each image is judged by its fault.
 *
 * @param named those of `cases` that `npm test` boots
 */
export function testBroken(images: Images, cases: Record<string, Broken>, named: string[]): void {
  test.each(bootsToRun(cases, named))(
    "%s",
    async (
      _what,
      {
        inputs = () => undefined,
        image,
        hardware,
        kernelArguments,
        configSha256,
        unseen,
        at,
        seen,
        look,
        ...more
      },
    ) => {
      const { reached = {}, unproved = {} } = more;
      const { path, machineConfig } = await images.make(inputs);
      await image?.(path);
      const sha256 = configSha256 ?? machineConfig.sha256;
      const changes = kernelArguments && { kernelArguments };
      const { record, folder } = await boot(
        { path, machineConfig: { ...machineConfig, sha256 } },
        hardware && { hardware },
        changes,
      );
      expect(record.diagnosis?.at).toEqual(at instanceof RegExp ? expect.stringMatching(at) : at);
      expect(record.diagnosis?.seen).toMatch(seen);
      for (const [milestone, evidence] of Object.entries(reached))
        expect(record.reached.find(({ id }) => id === milestone)?.evidence).toMatch(evidence);
      const unheld = record.proofs.filter(({ held }) => !held).map(({ id }) => id);
      if (record.diagnosis?.kind === "proof")
        expect(unheld.sort()).toEqual([record.diagnosis.at, ...Object.keys(unproved)].sort());
      for (const [proof, said] of Object.entries(unproved)) {
        const alone = firstBroken(record.proofs.filter(({ id }) => id === proof));
        expect(alone?.seen).toMatch(said.seen);
        expect(alone?.look).toMatch(said.look);
      }
      expect(record.diagnosis?.look).toMatch(look);
      expect(record.passed).toBe(false);
      if (unseen) for (const text of evidence(folder)) expect(text).not.toContain(unseen);
      // Talos shows values of a config that it refuses on the screen, too.
      const pictures = record.screens.filter(({ machine }) => machine === "minipc").map(({ id }) => id);
      if (at === "accepted") expect(pictures).not.toContain("end");
    },
  );
}
