import type { TftpWhat } from "./seen";

/** Opcodes of RFC 1350, and the option acknowledgement of RFC 2347. */
const [READ, DATA, ERROR, OPTIONS] = [1, 3, 5, 6];
const BLOCK_BYTES = 512;

interface Transfer {
  mac: string;
  file: string;
  blockBytes: number;
  lastBlock: number;
  bytes: number;
}

const fields = (payload: Buffer) => payload.subarray(2).toString("latin1").split("\0");

/** Follows transfers by TFTP: a client keeps its port for one transfer, a server takes a new one. */
export class TftpTransfers {
  private readonly byClient = new Map<string, Transfer>();

  /** A datagram from a client to port 69. */
  request(client: string, mac: string, payload: Buffer): TftpWhat | undefined {
    if (payload.length < 4 || payload.readUInt16BE(0) !== READ) return undefined;
    const file = fields(payload)[0] ?? "";
    this.byClient.set(client, { mac, file, blockBytes: BLOCK_BYTES, lastBlock: 0, bytes: 0 });
    return { kind: "tftp", mac, file, state: "asked" };
  }

  /** A datagram to a client's port; undefined when it belongs to no transfer or says nothing new. */
  answer(client: string, payload: Buffer): TftpWhat | undefined {
    const transfer = this.byClient.get(client);
    if (!transfer || payload.length < 4) return undefined;
    const { mac, file } = transfer;
    switch (payload.readUInt16BE(0)) {
      case OPTIONS: {
        const options = fields(payload);
        const size = options.findIndex((option) => option.toLowerCase() === "blksize");
        if (size >= 0) transfer.blockBytes = Number(options[size + 1]);
        return { kind: "tftp", mac, file, state: "answered" };
      }
      case DATA: {
        const block = payload.readUInt16BE(2);
        // One that was sent again counts once.
        if (block !== ((transfer.lastBlock + 1) & 0xffff)) return undefined;
        transfer.lastBlock = block;
        transfer.bytes += payload.length - 4;
        if (payload.length - 4 === transfer.blockBytes) return undefined;
        this.byClient.delete(client);
        return { kind: "tftp", mac, file, state: "sent", bytes: transfer.bytes };
      }
      case ERROR:
        this.byClient.delete(client);
        return {
          kind: "tftp",
          mac,
          file,
          state: "refused",
          words: payload.subarray(4).toString("latin1").replace(/\0.*$/s, ""),
        };
      default:
        return undefined;
    }
  }
}
