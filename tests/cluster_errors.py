"""Errors of sums in few clusters, from their definition."""

import numpy as np


def by_definition(X, e, w, cluster, C):
    """Return covariance, df of each sum and df of their test, from matrices over all rows.

    Formulas (4) to (14) of Pustejovsky and Tipton (2018) with an identity for a working model.
    """
    W = np.diag(w)
    M = np.linalg.inv(X.T @ W @ X)
    left = np.eye(len(X)) - X @ M @ X.T @ W
    filters, V = [], 0.0
    for g in np.unique(cluster):
        own = cluster == g
        values, vectors = np.linalg.eigh(left[own] @ left[own].T)
        root = np.where(values > 1e-9, 1.0 / np.sqrt(np.maximum(values, 1e-12)), 0.0)
        XWA = X[own].T @ W[np.ix_(own, own)] @ (vectors * root) @ vectors.T
        V = V + np.outer(M @ XWA @ e[own], M @ XWA @ e[own])
        filters.append(left[own].T @ XWA.T @ M)
    filters = np.array(filters)  # clusters, rows, terms

    def between(sums):
        p = np.einsum("gnk,sk->gsn", filters, sums)
        return np.einsum("gsn,htn->stgh", p, p)

    P = between(C)
    df = [np.trace(P[s, s]) ** 2 / (P[s, s] ** 2).sum() for s in range(len(C))]
    omega = C @ M @ X.T @ W @ W @ X @ M @ C.T
    P = between(np.linalg.solve(np.linalg.cholesky(omega), C))
    total = (np.einsum("ssgh->gh", P) ** 2).sum() + np.einsum("stgh,tsgh->", P, P)
    return V, df, len(C) * (len(C) + 1) / total
