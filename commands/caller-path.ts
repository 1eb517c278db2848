import { resolve } from "node:path";

/** A file as a person named it: npm runs its scripts in the checkout's top, whatever folder the person is in. */
export const callerPath = (named: string, env = process.env): string => resolve(env.INIT_CWD ?? ".", named);
