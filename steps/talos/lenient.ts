import * as z from "zod";

// Whether a config is sound is for Talos's own loader to say: what has another form than it should counts as missing here.

export const text = z.string().optional().catch(undefined);
/** Talos's YAML takes YAML 1.1's words for a boolean too (gopkg.in/yaml.v3, where the field is a bool). */
export const flag = z
  .union([z.boolean(), z.stringbool({ truthy: ["y", "yes", "on"], falsy: ["n", "no", "off"] })])
  .optional()
  .catch(undefined);
export const count = z.number().optional().catch(undefined);
export const texts = z.array(z.string()).nullish().catch(undefined);
export const part = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined);
