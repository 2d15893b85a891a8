export const season = (): string => process.env.SEASON ?? "none";
