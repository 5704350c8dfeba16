"""What is measured of exploration, item analysis and instruments."""

from growth_operations import PRODUCTS, N, Operation, P, unfold

import csimodel as csi

INSTRUMENT = (
    Operation("draft_codebook", lambda c: csi.draft_codebook(c.frame),
              {"n": (1, 250_000), "p": (1, P)}, "50*n*p*8/B", ("frame",)),
    Operation("describe", lambda c: unfold(csi.describe(c.survey)),
              {"n": (1, N), "p": (1, P)}, "100*n*p*8/B"),
    Operation("analyze_items", lambda c: csi.analyze_items(c.survey, c.model).items,
              {"n": (1, N), "p": (2, P)}, PRODUCTS),
    Operation("explore_factors", lambda c: csi.explore_factors(c.survey, factors=2, sets=20),
              {"n": (1, 25_000), "p": (3, P)}, f"{PRODUCTS} + 20*n*p*10*ns + 100*p**3/F"),
)  # fmt: skip
