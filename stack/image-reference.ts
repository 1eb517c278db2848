/** A reference to an image, whole: as containerd writes it out (distribution/reference, normalize.go). */
export interface ImageReference {
  /** As it is told: `ghcr.io/siderolabs/kubelet:v1.34.1`. */
  reference: string;
  /** The registry, with its port if it has one. */
  host: string;
  /** Host and name: `ghcr.io/siderolabs/kubelet`. */
  repository: string;
  /** Empty where the reference names a digest alone. */
  tag: string;
  /** `sha256:…`, where the reference names one. */
  digest?: string;
}

const HOST = /^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(:\d+)?$/;
const NAME = /^[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(\/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** The registry of names without a host. */
const DOCKER = "docker.io";
/** The only other name that containerd takes for it; what names registry-1.docker.io is another registry's to a mirror. */
const DOCKER_TOO = "index.docker.io";

/** Whether the first part of a name is a host: it has a dot, a port or a capital, which no name has. */
const isHost = (first: string) =>
  HOST.test(first) && (first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase());

/** The host of a reference and what follows it; without one, it is a name at Docker's registry. */
function split(name: string): { host: string; path: string } {
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && isHost(first);
  const host = hasHost ? first : DOCKER;
  const path = hasHost ? rest.join("/") : name;
  if (host !== DOCKER && host !== DOCKER_TOO) return { host, path };
  return { host: DOCKER, path: path.includes("/") ? path : `library/${path}` };
}

/** The registry of an image. */
export const registryOf = (image: string) => split(image).host;

/**
 * Reads a reference.
 *
 * @returns undefined for what is none
 */
export function imageReference(image: string): ImageReference | undefined {
  const [named = "", digest, ...more] = image.trim().split("@");
  const tagged = /^(.*):([^:/]*)$/.exec(named);
  const [name = "", tag = digest === undefined ? "latest" : ""] = tagged ? tagged.slice(1) : [named];
  const { host, path } = split(name);
  const isRight =
    more.length === 0 &&
    NAME.test(path) &&
    (tag === "" ? digest !== undefined && !tagged : TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!isRight) return undefined;
  const repository = `${host}/${path}`;
  const reference = `${repository}${tag && `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  return { reference, host, repository, tag, digest };
}

/** What an upstream's host is called in the appliance's registry, whose names have no colon: `registry.local_5000`. */
export const servedHost = (host: string) =>
  host
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "_")
    .replace(/^_|_$/g, "");

/** An image's name in the appliance's registry. */
export const servedRepository = ({ host, repository }: Pick<ImageReference, "host" | "repository">) =>
  servedHost(host) + repository.slice(host.length);
