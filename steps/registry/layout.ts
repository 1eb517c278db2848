import type { Blob } from "./manifest";

/** An image with its manifest, as the store has it. */
export interface StoredImage {
  repository: string;
  /** Empty where it has none. */
  tag: string;
  digest: string;
  /** The indexes above it, which it is asked for by too. */
  indexes?: readonly string[];
  blobs: Blob[];
}

const TOP = "docker/registry/v2";
const hexOf = (digest: string) => digest.slice("sha256:".length);

/** Where the store has a blob (distribution 2.8, registry/storage/paths.go). */
export const blobPath = (digest: string) =>
  `${TOP}/blobs/sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}/data`;

const repositoryPath = (repository: string) => `${TOP}/repositories/${repository}`;

/** The file that says that a repository has a blob. */
export const layerLink = (repository: string, digest: string) =>
  `${repositoryPath(repository)}/_layers/sha256/${hexOf(digest)}/link`;

/** The folder of what is half uploaded to a repository. */
export const uploadsPath = (repository: string) => `${repositoryPath(repository)}/_uploads`;

/** The files of a store that say what its repositories have, by path; each holds a digest. */
function linksOf({
  repository,
  tag,
  digest,
  indexes = [],
  blobs,
}: StoredImage): [path: string, digest: string][] {
  const manifests = `${repositoryPath(repository)}/_manifests`;
  const tagged: [string, string][] = tag
    ? [
        [`${manifests}/tags/${tag}/current/link`, digest],
        [`${manifests}/tags/${tag}/index/sha256/${hexOf(digest)}/link`, digest],
      ]
    : [];
  return [
    ...blobs.map((blob): [string, string] => [layerLink(repository, blob.digest), blob.digest]),
    ...[digest, ...indexes].map((each): [string, string] => [
      `${manifests}/revisions/sha256/${hexOf(each)}/link`,
      each,
    ]),
    ...tagged,
  ];
}

/** A file of a store: a text, or a blob that is copied from another store. */
export type StoreFile = { path: string } & ({ text: string } | { blob: string });

/** The files of a store that has these images and nothing else, sorted by path. Whatever images share a blob, it is there once. */
export function storeOf(images: readonly StoredImage[]): StoreFile[] {
  const links = new Map(images.flatMap(linksOf));
  const blobs = images.flatMap(({ digest, indexes = [], blobs }) => [
    digest,
    ...indexes,
    ...blobs.map((blob) => blob.digest),
  ]);
  const files: StoreFile[] = [
    ...[...links].map(([path, text]) => ({ path, text })),
    ...[...new Set(blobs)].map((blob) => ({ path: blobPath(blob), blob })),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The folders above files, each once, those above others first. */
export function foldersOf(paths: readonly string[]): string[] {
  const folders = paths.flatMap((path) => {
    const parts = path.split("/").slice(0, -1);
    return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
  });
  return [...new Set(folders)].sort();
}
