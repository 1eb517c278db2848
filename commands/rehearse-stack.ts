import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { intact, sha256File } from "../steps/store/files";
import { runProgram } from "../steps/frame/main";
import { StepError } from "../steps/frame/step-error";
import { PAGE, rehearseInto } from "../rehearsal/evidence";
import { HARDWARE } from "../rehearsal/hardware";
import type { Hardware } from "../rehearsal/record";
import { timelineText } from "../rehearsal/timeline/text";
import { readCommandLine } from "./command-line.cjs";
import { REHEARSE } from "./commands.cjs";
import { subjectOf } from "./rehearsal-subject";
import { configOf } from "./stack-config";

function hardwareFrom(
  args: ReturnType<typeof readCommandLine<typeof REHEARSE.options>>["values"],
): typeof HARDWARE {
  const chosen = { ...HARDWARE.appliance, swapped: args.swapped };
  if (args.firmware) chosen.firmware = args.firmware as Hardware["firmware"];
  if (args.disk) chosen.disk = args.disk as Hardware["disk"];
  if (args.nic) chosen.nic = args.nic as Hardware["nic"];
  const nic = (args["minipc-nic"] ?? HARDWARE.minipc.nic) as Hardware["nic"];
  return {
    appliance: chosen,
    minipc: { ...HARDWARE.minipc, nic },
    twin: args.alone ? undefined : HARDWARE.twin,
  };
}

void runProgram("rehearse", async (context) => {
  const args = readCommandLine(REHEARSE).values;
  const { stack = "" } = args;
  const config = await configOf(context, stack);
  const path = `artifacts/bootstrap/${config.bootstrapVersion}/${config.artifactName}.raw`;
  if (!existsSync(path))
    throw new StepError(
      `rehearsing ${path}`,
      "there is no such image",
      `pulumi up --stack ${stack} makes it`,
    );
  const rehearsal = {
    subject: await subjectOf(context, config, path),
    accelerator: config.accelerator,
    hardware: hardwareFrom(args),
  };
  const image = {
    sha256: intact(path)?.sha256 ?? (await sha256File(path, context.signal)),
    bytes: statSync(path).size,
  };
  const folder = `artifacts/rehearsal/${config.bootstrapVersion}/${config.artifactName}-by-hand`;
  const record = await rehearseInto(context, rehearsal, image, folder);
  process.stderr.write(`\n${timelineText(record)}\n`);
  if (!record.passed) process.exitCode = 1;
  return args.json ? { passed: record.passed, timeline: join(folder, PAGE) } : undefined;
});
