import { createHash } from "node:crypto";
import { parseAllDocuments } from "yaml";
import { readDocuments } from "./documents";
import { proxiesOf } from "./hosts";
import { namedImages } from "./named-images";
import { proxying } from "./proxying";
import { readSections } from "./sections";
import type { NodeConfig } from "./node-config";

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** Reads a machine config in either form, v1alpha1's sections and documents; what is in neither is empty. */
export function readNodeConfig(text: string): NodeConfig {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown);
  const [sections, others] = [readSections(documents), readDocuments(documents)];
  const { ca = "", ...first } = sections ?? others;
  const environment = [...(sections?.environment ?? []), ...others.environment];
  return {
    isPartial: sections === undefined,
    cluster: ca && digest(ca),
    machineType: first.machineType ?? "",
    clusterName: others.clusterName ?? first.clusterName ?? "",
    endpoint: others.endpoint ?? first.endpoint ?? "",
    install: others.install ??
      first.install ?? { isAsked: false, image: "", disk: "", diskSelector: "", byDocument: false },
    links: [...(sections?.links ?? []), ...others.links],
    aliases: others.aliases ?? [],
    hasDefaultDhcp: others.hasDefaultDhcp ?? true,
    vips: [...(sections?.vips ?? []), ...others.vips],
    timeServers: others.timeServers ?? first.timeServers ?? [],
    keepsTime: others.keepsTime ?? first.keepsTime ?? true,
    resolvers: others.resolvers ?? first.resolvers ?? [],
    searchDomains: others.searchDomains ?? first.searchDomains ?? [],
    hosts: [...(sections?.hosts ?? []), ...others.hosts],
    mirrors: [...(sections?.mirrors ?? []), ...others.mirrors],
    proxies: proxiesOf(environment),
    omni: others.omni ?? "",
    images: namedImages(documents),
    plainHttp: proxying(environment),
  };
}
