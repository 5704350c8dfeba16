# Complementary log-log and weighted probit regressions of repurchase on the index scores of mobi,
# with base R only. Run in tests/reference; prints what stands in mobi_repurchase.json.
scores <- read.csv("mobi_index_scores.csv")
answers <- read.csv("../../data/mobi.csv")
scores$y <- as.numeric(answers$CUSL1 >= 8)
scores$w <- 1 + (seq_len(nrow(scores)) %% 3)
terms <- y ~ Image + Quality + Value + Satisfaction + Complaints
tight <- glm.control(epsilon = 1e-14, maxit = 100)
show <- function(name, model) {
  cat(name, "\n")
  print(cbind(summary(model)$coefficients[, 1:2]), digits = 15)
}
show("cloglog", glm(terms, binomial("cloglog"), scores, control = tight))
show("probit_weighted", suppressWarnings(
  glm(terms, quasibinomial("probit"), scores, weights = w, control = tight)))
