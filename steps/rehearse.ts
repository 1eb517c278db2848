import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import * as contract from "./contracts/rehearse";
import { intact, verified } from "./store/files";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import { PAGE, rehearseInto } from "../rehearsal/evidence";
import { HARDWARE } from "../rehearsal/hardware";
import type { RehearsalRecord } from "../rehearsal/record";

const Accelerator = z.enum(["auto", "kvm", "hvf", "tcg"]).default("auto");

const seconds = (ms: number) => Math.round(ms / 100) / 10;

/** What the stack's output tells of a rehearsal; times in seconds. */
function summaryOf({ reached, proofs, accelerator, tookMs }: RehearsalRecord, path: string) {
  return {
    timeline: join(dirname(path), PAGE),
    accelerator,
    seconds: seconds(tookMs),
    steps: reached.map(({ title, atMs }, index) => ({
      step: title,
      at: seconds(atMs),
      took: seconds(atMs - (reached[index - 1]?.atMs ?? 0)),
    })),
    proved: proofs.map(({ title }) => title),
  };
}

void runStep(
  "rehearse",
  contract,
  async ({ key, path, image, subject, configSha256, timeElsewhere, unseenDisk }, context) => {
    if (await verified(path, key))
      return summaryOf(JSON.parse(readFileSync(path, "utf8")) as RehearsalRecord, path);

    const doing = `rehearsing ${image.path}`;
    if (intact(image.path)?.sha256 !== image.sha256)
      throw new StepError(doing, "it is gone or was altered after it was made", "Run pulumi up again");
    const rehearsal = {
      subject: { ...subject, image: image.path, configSha256, timeElsewhere, unseenDisk },
      accelerator: Accelerator.parse(process.env.ACCELERATOR),
      hardware: HARDWARE,
    };
    const folder = dirname(path);
    const record = await rehearseInto(context, rehearsal, image, folder, key);
    if (record.diagnosis) {
      const { title, seen, look } = record.diagnosis;
      throw new StepError(`${doing}, at "${title}"`, seen, `${look}. What was seen: ${join(folder, PAGE)}`);
    }
    return summaryOf(record, path);
  },
);
