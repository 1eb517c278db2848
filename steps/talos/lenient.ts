import * as z from "zod";

// Whether a config is sound is for Talos's own loader to say: what has another form than it should counts as missing here.

export const text = z.string().optional().catch(undefined);
export const flag = z.boolean().optional().catch(undefined);
export const texts = z.array(z.string()).nullish().catch(undefined);
export const part = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined);
