export const extent: any, max: any, sum: any, timeFormat: any;
export const scaleBand: any, scaleLinear: any, scaleOrdinal: any, scaleSqrt: any, scaleTime: any;
