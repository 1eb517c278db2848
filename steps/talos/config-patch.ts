import {
  isMap,
  parseAllDocuments,
  visit,
  type Document,
  type DocumentOptions,
  type Node,
  type ParseOptions,
  type SchemaOptions,
} from "yaml";

/** Numbers, too, are written as they were read: Go takes 0644 for octal, and more digits than a number has here. */
const AS_WRITTEN: ParseOptions & DocumentOptions & SchemaOptions = {
  customTags: (tags) =>
    tags.map((tag) =>
      typeof tag === "object" && "test" in tag && tag.stringify
        ? { ...tag, stringify: (item, ...rest) => item.source ?? tag.stringify!(item, ...rest) }
        : tag,
    ),
};

/** The documents of a YAML text. */
export const parseDocuments = (text: string): Document.Parsed[] => {
  const read = parseAllDocuments(text, AS_WRITTEN);
  // A text without any document is not an array, by the types of the library.
  return Array.isArray(read) ? [...(read as Document.Parsed[])].filter((each) => isMap(each.contents)) : [];
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Sets each value of a patch where it belongs; a list takes the place of the one that was there. */
function setAll(document: Document, value: unknown, path: string[] = []): void {
  if (!isObject(value)) return document.setIn(path, document.createNode(value));
  // What is there without any value is no map that something could be put into.
  if (path.length > 0 && !isMap(document.getIn(path)))
    return document.setIn(path, document.createNode(value));
  for (const [key, below] of Object.entries(value)) setAll(document, below, [...path, key]);
}

/** Puts what an alias stands for in its place, so that what is set in one place is not set in others. */
function resolveAliases(document: Document): Document {
  visit(document, { Alias: (_, alias) => alias.resolve(document)?.clone() as Node | undefined });
  visit(document, { Node: (_, node) => void (node.anchor = undefined) });
  return document;
}

/** Whether a patch's document is for a config's: both are the v1alpha1 config, or of one kind and name. */
function isFor(patch: Document, document: Document): boolean {
  return ["kind", "name"].every((key) => patch.get(key) === document.get(key));
}

/**
 * Applies a patch to a machine config: a document of the patch is merged into the config's of its kind and name, or added. All
 * else stays as it is, comments too.
 */
export function patched(config: string, patch: string): string {
  if (patch === "") return config;
  const documents: Document[] = parseDocuments(config).map(resolveAliases);
  for (const each of parseDocuments(patch)) {
    const found = documents.find((document) => isFor(each, document));
    if (found) setAll(found, each.toJS());
    else documents.push(each);
  }
  return documents
    .map((document, index) => {
      const text = document.toString({ lineWidth: 0 });
      return index > 0 && !text.startsWith("---") ? `---\n${text}` : text;
    })
    .join("");
}
