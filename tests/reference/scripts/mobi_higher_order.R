# Disjoint two-stage approach (Sarstedt et al. 2019): parts in place of the whole first, then scores.
suppressMessages(library(seminr)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv")
own <- list(Image=paste0("IMAG",1:5), Expectation=paste0("CUEX",1:3), Value=paste0("PERV",1:2),
  Satisfaction=paste0("CUSA",1:3), Complaints="CUSCO", Loyalty=paste0("CUSL",1:3))
parts <- list(QA=paste0("PERQ",1:3), QB=paste0("PERQ",4:7))
inner <- list(c("Image","Expectation"), c("Image","Satisfaction"), c("Image","Loyalty"),
  c("Expectation","Quality"), c("Expectation","Value"), c("Expectation","Satisfaction"),
  c("Quality","Value"), c("Quality","Satisfaction"), c("Value","Satisfaction"),
  c("Satisfaction","Complaints"), c("Satisfaction","Loyalty"), c("Complaints","Loyalty"))
blocks <- function(b) lapply(names(b), function(k) composite(k, b[[k]], weights=mode_A))
joined <- function(e) do.call(relationships, lapply(e, function(p) paths(from=p[1], to=p[2])))
fitted <- function(d, m, e) estimate_pls(d, do.call(constructs, m), joined(e), stopCriterion=14, maxIt=3000)
split <- unlist(lapply(inner, function(p) if (p[1] == "Quality") list(c("QA",p[2]), c("QB",p[2])) else
  if (p[2] == "Quality") list(c(p[1],"QA"), c(p[1],"QB")) else list(p)), recursive=FALSE)
first <- fitted(d, blocks(c(own, parts)), split)
scores <- as.data.frame(first$construct_scores); names(scores) <- paste0(names(scores), "_s")
matrix_of <- function(m) { m <- unclass(m); list(rows=rownames(m), cols=colnames(m), data=unname(matrix(as.vector(m), nrow(m)))) }
second <- function(mode) {
  single <- lapply(names(own), function(k) composite(k, single_item(paste0(k, "_s"))))
  f <- fitted(scores, c(single, list(composite("Quality", c("QA_s","QB_s"), weights=mode))), inner)
  list(paths=matrix_of(f$path_coef), weights=matrix_of(f$outer_weights), construct_cor=matrix_of(cor(f$construct_scores)))
}
write_json(list(
  provenance="seminr 2.3.4, R 4.2.2, mobi.csv, path scheme, stopCriterion 14: Quality of QA (PERQ1-3) and QB (PERQ4-7), disjoint two-stage, all scores as single items; the calls are in scripts/mobi_higher_order.R",
  A=second(mode_A), B=second(mode_B)), "../mobi_higher_order.json", auto_unbox=TRUE, digits=NA)
