/** The shapes that the service answers (contract §4) and that the page sees as `window.consent` (§11). */

export type Category =
  | "technical" | "personalization" | "advertising" | "statistical" | "social_media"
  | "strictly_necessary" | "analytical_performance" | "functionality";

export type Choices = Record<Category, boolean>;

export interface CategoryState {
  choice: "granted" | "denied" | null;
  allow: boolean;
  reason: string;
  decided_at: string | null;
  expires_at: string | null;
}

export interface CleanupItem {
  name: string;
  kind: string;
  domain?: string;
  path?: string;
}

export interface OptOutSignal {
  source: string;
  honored: boolean;
  display_text: string;
  toggle: string;
}

export interface Consent {
  visitor_id: string | null;
  site: string;
  revision: number;
  policy_version: string;
  regime: "opt_in" | "opt_out" | "notice";
  region: string | null;
  dnt: string | null;
  gpc: boolean;
  sale_share_opt_out: boolean;
  prompt: boolean;
  categories: Record<Category, CategoryState>;
  opt_out_signal: OptOutSignal | null;
  expires_at: string | null;
  re_prompt_not_before: string | null;
  updated_at: string | null;
  receipt?: { id: string; seq: number; leaf_hash: string };
  cleanup?: CleanupItem[];
}

export interface Tracker {
  name: string;
  kind: string;
  provider: string;
  country: string | null;
  privacy_policy: string | null;
  purpose: string;
  duration: string;
  third_party: boolean;
  /** Needs no consent in this region, whoever visits. */
  exempt: boolean;
  sells_or_shares: boolean;
}

export interface BannerCategory {
  id: Category;
  title: string;
  description: string;
  always_on: boolean;
  sells_or_shares: boolean;
  trackers: Tracker[];
}

export interface Banner {
  site: string;
  policy_version: string;
  lang: string;
  dir: "ltr" | "rtl";
  languages: string[];
  regime: string;
  region: string | null;
  texts: Record<string, string>;
  first_layer: ("accept_all" | "reject_all" | "customize")[];
  urls: { privacy_policy?: string; cookie_settings?: string };
  controller: Record<string, string>;
  signals: { dnt: string; gpc: string };
  multi_device: boolean;
  /** Choices came with the visitor's account from another device; said once. */
  notice?: "synced";
  separate_consents: string[];
  categories: BannerCategory[];
  prompt: boolean;
  state: Consent | null;
}

export type Action = "accept_all" | "reject_all" | "custom" | "dismiss";
export type Method = "banner" | "preferences" | "api";

/** A choice that the service has not yet acknowledged. */
export interface Pending {
  key: string;
  verb: "PUT" | "DELETE";
  body: string | null;
  /** What it denies, so that a refusal works before it is recorded; `null` denies everything. */
  choices: Partial<Choices> | null;
}

/** `window.consent`. */
export interface PageConsent {
  ready: Promise<Consent>;
  get(): Consent | null;
  allows(name: string): boolean;
  open(): Promise<void>;
  update(choices: Partial<Choices>): Promise<Consent>;
  withdraw(): Promise<Consent>;
}

declare global {
  interface Window {
    consent?: PageConsent;
    dataLayer?: unknown[];
    uetq?: unknown[];
    clarity?: { (...args: unknown[]): void; q?: unknown[] };
    fbq?: (...args: unknown[]) => void;
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
  interface DocumentEventMap {
    "consent:ready": CustomEvent<Consent>;
    "consent:change": CustomEvent<Consent>;
  }
}
