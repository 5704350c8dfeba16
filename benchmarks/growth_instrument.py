"""What is measured of exploration, item analysis and instruments."""

from growth_operations import PRODUCTS, Operation, P

import csimodel as csi

INSTRUMENT = (
    Operation("explore_factors", lambda c: csi.explore_factors(c.survey, factors=2, sets=20),
              {"n": (1, 25_000), "p": (3, P)}, f"{PRODUCTS} + 20*n*p*10*ns + 100*p**3/F"),
)  # fmt: skip
