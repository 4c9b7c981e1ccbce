/**
 * What a formula of a bill comes to, by its text alone: for tests, which hold it against the number that stands behind it. Words are
 * skipped, as a reader with a calculator would; `×` and `÷` bind more than `+` and `−`.
 */
export function evaluate(text: string): number {
  const tokens = tokensOf(text);
  let at = 0;

  function sum(): number {
    let value = product();
    while (tokens[at] === '+' || tokens[at] === '−')
      value = tokens[at++] === '+' ? value + product() : value - product();
    return value;
  }

  function product(): number {
    let value = factor();
    while (tokens[at] === '×' || tokens[at] === '÷')
      value = tokens[at++] === '×' ? value * factor() : value / factor();
    return value;
  }

  function factor(): number {
    const token = tokens[at++];
    if (token === '(') return closed(sum());
    if (token === 'ceil') return Math.ceil(inBrackets()[0] ?? Number.NaN);
    if (token === 'max') return Math.max(...inBrackets());
    if (token === 'min') return Math.min(...inBrackets());
    const value = Number(token);
    if (Number.isNaN(value)) throw new Error(`${String(token)} is no number in ${text}`);
    return value;
  }

  function inBrackets(): readonly number[] {
    if (tokens[at++] !== '(') throw new Error(`no bracket in ${text}`);
    const values = [sum()];
    while (tokens[at] === ',') {
      at += 1;
      values.push(sum());
    }
    return [closed(values)].flat();
  }

  function closed<T>(value: T): T {
    if (tokens[at++] !== ')') throw new Error(`an open bracket in ${text}`);
    return value;
  }

  const value = sum();
  if (at < tokens.length) throw new Error(`${tokens.slice(at).join(' ')} is left of ${text}`);
  return value;
}

/** A comma between digits belongs to the number. */
function tokensOf(text: string): readonly string[] {
  const found = text.match(/\d[\d,]*(?:\.\d+)?(?<!,)|(?:max|min|ceil)(?=\()|[×÷+−(),]/g) ?? [];
  return found.map((token) => (/^\d/.test(token) ? token.replaceAll(',', '') : token));
}
