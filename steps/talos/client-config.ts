import { parseDocument } from "yaml";
import * as z from "zod";

/** A Talos client config (siderolabs/talos, pkg/machinery/client/config): contexts by name, and which one is taken. */
const ClientConfig = z.object({
  context: z.string().optional(),
  contexts: z.record(z.string(), z.looseObject({})),
});

/** What is wrong with a client config, without any of its values, which may be secret; undefined when it is one. */
export function clientConfigFault(text: string): string | undefined {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault) return `it is no YAML (${fault.code}, line ${fault.linePos?.[0].line})`;
  const top: unknown = document.toJS();
  const read = ClientConfig.safeParse(top);
  if (!read.success) {
    const isMachineConfig = typeof top === "object" && top !== null && "machine" in top;
    const found = isMachineConfig ? "it is a machine config" : "it names no contexts";
    return `${found}, so it is no Talos client config`;
  }
  const { context, contexts } = read.data;
  if (Object.keys(contexts).length === 0) return "its contexts are empty";
  if (context && !(context in contexts)) return "its context is none of its contexts";
  return undefined;
}
