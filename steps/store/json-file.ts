import { readFileSync } from "node:fs";
import type * as z from "zod";
import { whyUnreadable } from "./given-file";
import { StepError } from "../frame/step-error";

const CONFLICT = /^(<{7}|={7}|>{7})( |$)/m;

function faultIn(text: string, schema: z.ZodType): string | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).success ? undefined : "it has another form than it should";
  } catch (fault) {
    return CONFLICT.test(text)
      ? "it has the marks of a merge conflict"
      : `it is no JSON (${(fault as Error).message.split("\n")[0]})`;
  }
}

/**
 * What a JSON file holds that people keep under version control; undefined when it is not there.
 *
 * @throws StepError when it is there and cannot be read, or is of another form
 */
export function readJson<S extends z.ZodType>(path: string, schema: S): z.output<S> | undefined {
  const unreadable = whyUnreadable(path);
  if (unreadable === "no such file") return undefined;
  const fault = unreadable ?? faultIn(readFileSync(path, "utf8"), schema);
  if (fault)
    throw new StepError(`reading ${path}`, fault, "Put it right, or take it from version control again");
  return schema.parse(JSON.parse(readFileSync(path, "utf8")));
}
