export declare function abandonedScratch(parent?: string, user?: number): string[];
export declare function makeScratch(step: string, parent?: string): string;
export declare function sweepScratch(parent?: string, user?: number): void;
