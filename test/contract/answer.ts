/** An answer of the API. What is missing in its body is empty here. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As it came, but for an answer that isn't JSON. */
  readonly body: Readonly<Record<string, unknown>>;
  // The shapes that tests look into differ from call to call; each test names what it expects.
  readonly data: Readonly<Record<string, unknown>>;
  readonly error: ErrorBody;
}

export interface ErrorBody {
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  readonly type: string;
  readonly errors?: readonly { readonly location: string; readonly message: string; readonly fix?: string }[];
}

const NO_ERROR: ErrorBody = { title: '', detail: '', status: 0, type: '' };

/** `POST /v2/<verb>` with a JSON body. `rootKey` null: without Authorization. */
export async function post(
  url: string,
  verb: string,
  rootKey: string | null,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/v2/${verb}`, {
    method: 'POST',
    headers: {
      ...(rootKey === null ? {} : { authorization: `Bearer ${rootKey}` }),
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const content = JSON.parse(text) as { data?: Record<string, unknown>; error?: ErrorBody };
  return {
    status: response.status,
    headers: response.headers,
    body: content,
    data: content.data ?? {},
    error: content.error ?? NO_ERROR,
  };
}
