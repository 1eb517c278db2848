import { readFileSync } from "node:fs";
import type * as z from "zod";
import { whyUnreadable } from "./given-file";
import { StepError } from "../frame/step-error";

const CONFLICT = /^(<{7}|={7}|>{7})( |$)/m;

function parsed<S extends z.ZodType>(text: string, schema: S): { fault: string } | { value: z.output<S> } {
  try {
    const read = schema.safeParse(JSON.parse(text));
    return read.success ? { value: read.data } : { fault: "it has another form than it should" };
  } catch (thrown) {
    const fault = CONFLICT.test(text)
      ? "it has the marks of a merge conflict"
      : `it is no JSON (${(thrown as Error).message.split("\n")[0]})`;
    return { fault };
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
  const read = unreadable ? { fault: unreadable } : parsed(readFileSync(path, "utf8"), schema);
  if ("value" in read) return read.value;
  throw new StepError(`reading ${path}`, read.fault, "Put it right, or take it from version control again");
}
