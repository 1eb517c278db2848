import { readCommandLine } from "../command-line.cjs";
import { NEW } from "../commands.cjs";
import type { Answers } from "./answers";

/** What the command line asks for. */
export interface Request {
  stack: string;
  answers: Answers;
  ageKey?: string;
  makeAgeKey: boolean;
}

/** Reads the command line of `npm run new`, which ends the command where it is wrong. */
export function readRequest(): Request {
  const { values, positionals } = readCommandLine(NEW);
  const { mac, disk, endpoint, vip, ip, appliance, cluster, join: joins, role, schematic } = values;
  const [talosVersion, bootstrapVersion] = [values["talos-version"], values["bootstrap-version"]];
  return {
    stack: positionals[0] as string,
    answers: {
      mac,
      disk,
      endpoint,
      vip,
      talosVersion,
      schematic,
      ip,
      appliance,
      cluster,
      join: joins,
      role,
      bootstrapVersion,
    },
    ageKey: values["age-key"],
    makeAgeKey: values["make-age-key"],
  };
}
