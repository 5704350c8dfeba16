suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv"); d$group <- read.csv("../mobi_group.csv")$group
m <- "Image =~ IMAG1+IMAG2+IMAG3+IMAG4+IMAG5
Quality =~ PERQ1+PERQ2+PERQ3+PERQ4+PERQ5+PERQ6+PERQ7
Value =~ PERV1+PERV2
Satisfaction =~ CUSA1+CUSA2+CUSA3
Complaints =~ CUSCO
Loyalty =~ CUSL1+CUSL2+CUSL3
CUSCO ~~ 0*CUSCO
Quality ~ Image
Value ~ Quality
Satisfaction ~ Quality + Value
Complaints ~ Satisfaction
Loyalty ~ Satisfaction + Complaints"
f <- sem(m, d, group="group", group.equal=c("loadings","regressions"))
print(fitMeasures(f,c("chisq","df","cfi","rmsea","srmr")))
s <- lavTestScore(f)$uni; print(s)
mi <- modindices(f, sort.=TRUE); mi <- mi[1:10,]
e <- parameterEstimates(f)
write_json(list(provenance="lavaan 0.6-14, R 4.2.2: sem(reduced model, group, group.equal = c('loadings', 'regressions')); score tests by lavTestScore; script scripts/mobi_score.R", chisq=as.numeric(fitMeasures(f,"chisq")), df=as.numeric(fitMeasures(f,"df")), score=list(lhs=s$lhs,rhs=s$rhs,X2=s$X2), modindices=list(lhs=mi$lhs,op=mi$op,rhs=mi$rhs,group=mi$group,mi=mi$mi,epc=mi$epc), estimates=list(lhs=e$lhs,op=e$op,rhs=e$rhs,group=e$group,est=e$est,se=e$se)), "../mobi_score.json", auto_unbox=TRUE, digits=15)
