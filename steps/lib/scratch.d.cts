export declare function abandonedScratch(): string[];
export declare function isAlive(pid: number): boolean;
export declare function makeScratch(step: string): string;
export declare function sweepScratch(): void;
