import { constants, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { chmod, copyFile, link, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256File, writeWhole } from "../store/files";
import { namesIn } from "../store/partials.cjs";
import { blobPath, layerLink, uploadsPath } from "./layout";
import { architectureIn, digestOf, readManifest, type Blob } from "./manifest";

/** The folder of all blobs that were fetched for images, in docker-registry's own form. */
export class ImageStore {
  constructor(readonly folder: string) {}

  private readonly at = (path: string) => join(this.folder, path);

  /** Bytes of a blob that is there; undefined when it is not. */
  sizeOf(digest: string): number | undefined {
    return statSync(this.at(blobPath(digest)), { throwIfNoEntry: false })?.size;
  }

  /** Whether the bytes of a blob have its digest. */
  async isSound(digest: string, signal?: AbortSignal): Promise<boolean> {
    return `sha256:${await sha256File(this.at(blobPath(digest)), signal)}` === digest;
  }

  /** Gives a blob another name, or copies it to one that is on another file system. Anybody may read it. */
  async linkTo(digest: string, path: string): Promise<void> {
    const blob = this.at(blobPath(digest));
    await link(blob, path).catch(() => copyFile(blob, path, constants.COPYFILE_FICLONE));
    await chmod(path, 0o644);
  }

  /** A blob that is not what it should be is fetched again. */
  drop(digest: string): void {
    rmSync(dirname(this.at(blobPath(digest))), { recursive: true, force: true });
  }

  /** The blobs of an image whose manifest is there and whole; undefined when it is not. */
  blobsOf(digest: string): Blob[] | undefined {
    const bytes = this.manifest(digest);
    const read = bytes && readManifest(bytes);
    return read && "image" in read ? read.image : undefined;
  }

  /** What an image's config says that it is for; undefined where it does not say it. */
  architectureOf(digest: string): string | undefined {
    const [config] = this.blobsOf(digest) ?? [];
    const bytes = config && this.manifest(config.digest);
    return bytes && architectureIn(bytes);
  }

  /** Whether all of an image is there, each blob of the size that its manifest says. */
  has(digest: string): boolean {
    return this.blobsOf(digest)?.every((blob) => this.sizeOf(blob.digest) === blob.size) ?? false;
  }

  /** A manifest, or another small blob, that is there and whole; undefined when it is not. */
  manifest(digest: string): Buffer | undefined {
    const path = this.at(blobPath(digest));
    const bytes = existsSync(path) ? readFileSync(path) : undefined;
    return bytes && digestOf(bytes) === digest ? bytes : undefined;
  }

  /** Keeps a small blob, such as a manifest. */
  async keep(bytes: Buffer): Promise<void> {
    const path = this.at(blobPath(digestOf(bytes)));
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, bytes.toString());
  }

  /** Lets a repository have the blobs that are there for another one, so that they are not fetched again. */
  async share(repository: string, blobs: readonly Blob[]): Promise<void> {
    for (const { digest, size } of blobs) {
      const there = this.sizeOf(digest);
      const link = this.at(layerLink(repository, digest));
      if (there === size && !existsSync(link)) {
        await mkdir(dirname(link), { recursive: true });
        await writeWhole(link, digest);
      }
      // A blob that was cut short would be taken for whole.
      if (there !== undefined && there !== size) this.drop(digest);
      if (there !== size) await rm(link, { force: true });
    }
  }

  /** Removes what killed runs left half uploaded. */
  async sweep(repository: string): Promise<void> {
    await rm(this.at(uploadsPath(repository)), { recursive: true, force: true });
  }

  /** Bytes that are half uploaded to a repository. */
  uploading(repository: string): number {
    return namesIn(this.at(uploadsPath(repository)))
      .map((upload) => statSync(join(upload, "data"), { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size, 0);
  }
}
