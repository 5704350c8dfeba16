"""The sentences of a survey plan, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from csimodel.translation import Language

Step = Literal["explore", "pretest", "fieldwork", "cleaning", "analysis", "report"]
STEPS: tuple[Step, ...] = ("explore", "pretest", "fieldwork", "cleaning", "analysis", "report")
"""Steps of a survey, in their order."""

_ENGLISH: Mapping[str, str] = {
    "title": "Survey plan",
    "headline": "{n:,} answered questionnaires, for a {level:.0%} interval of ±{half:g} for {of}.",
    "target index": "the satisfaction index",
    "target difference": "the difference of two groups",
    "target slope": "the slope of the outcome on the index",
    "who": "Whom to ask",
    "who missing": "To be set: which customers, of what, in which area and time, from which list.",
    "sample": "How many",
    "column stratum": "Stratum",
    "column share": "Share of the population",
    "column n": "To interview",
    "column invited": "To invite",
    "column cost": "Cost",
    "two groups": "The numbers are for each of the two groups.",
    "response": "{invited:,} are invited, since {rate:.0%} are expected to answer.",
    "expected": "The half-width expected of this sample is {half:.3g}.",
    "clusters": "{m} respondents of each cluster are interviewed; with an intraclass correlation "
    "of {icc:g} the design effect is {deff:.2f}.",
    "steps": "Steps",
    "column step": "Step",
    "column what": "What is done",
    "column when": "When",
    "to be set": "to be set",
    "step explore": "Explore",
    "do explore": "Collect candidate questions: the view from inside, complaints, customers lost, "
    "focus groups.",
    "step pretest": "Pre-test",
    "do pretest": "Ask a small sample; keep the questions that represent their construct "
    "(csi.explore_factors, csi.analyze_items).",
    "step fieldwork": "Field work",
    "do fieldwork": "Invite {invited:,} customers and remind them, for {n:,} interviews; write "
    "down how each case ended.",
    "step cleaning": "Data quality",
    "do cleaning": "Look at straight-lining, speed, duplicates and missing answers (csi.describe), "
    "and at response rates (csi.weighting.response_rates).",
    "step analysis": "Analysis",
    "do analysis": "As planned below.",
    "step report": "Report",
    "do report": "Write the report (csi.write_report).",
    "questions": "Questions",
    "column construct": "Construct",
    "column name": "Name",
    "column question": "Question",
    "column answers": "Answers",
    "column no answer": "No answer",
    "scale": "{low} to {high}",
    "open": "free",
    "weights": "How answers are weighted",
    "equal": "Strata are drawn in proportion to the population, so every respondent counts alike.",
    "comma": ", ",
    "unequal": "Strata are not drawn in proportion to the population, so respondents have a "
    "weight, the stratum's share of the population over its share of the sample: {weights}.",
    "design weights": "Weights are in the column {column}.",
    "design strata": "Strata are in the column {column}.",
    "design cluster": "Clusters are in the column {column}.",
    "rake": "Where groups of known size answer more or less often than others, weights are brought "
    "to these sizes (csi.rake), and what that costs in precision is reported.",
    "analysis": "How answers are analysed",
    "column call": "By",
    "analysis csi.read_survey": "Read the answers with this codebook",
    "analysis csi.describe": "Describe questions and respondents",
    "analysis csi.analyze_items": "Check the questions of each construct",
    "analysis csi.fit": "Estimate the model",
    "analysis csi.index_scores": "Index of each construct, 0 to 100, also by group",
    "analysis csi.linearize": "Errors of the sample as it was drawn",
    "analysis csi.importance_performance": "What moves satisfaction, and how well it is done",
    "analysis csi.repurchase": "What a point is worth in repurchase",
    "report": "How it is reported",
    "report notes": "Every index is reported with its {level:.0%} interval and the number of "
    "respondents; two groups are compared by a test of their difference, adjusted for how many "
    "are compared, never by whether intervals overlap; who was not reached and what was not "
    "answered is said.",
}
_CHINESE: Mapping[str, str] = {
    "title": "调查方案",
    "headline": "{n:,} 份有效问卷：{of}的 {level:.0%} 区间半宽为 ±{half:g} 分。",
    "target index": "满意度指数",
    "target difference": "两组之差",
    "target slope": "结果对指数的斜率",
    "who": "调查对象",
    "who missing": "待定：哪些顾客、何种产品或服务、何地何时、取自何种名单。",
    "sample": "样本量",
    "column stratum": "层",
    "column share": "占总体比例",
    "column n": "有效问卷",
    "column invited": "邀请人数",
    "column cost": "费用",
    "two groups": "以上为两组中每一组的人数。",
    "response": "预计应答率为 {rate:.0%}，共邀请 {invited:,} 人。",
    "expected": "该样本的预期区间半宽为 {half:.3g}。",
    "clusters": "每群访问 {m} 人；群内相关系数为 {icc:g} 时，设计效应为 {deff:.2f}。",
    "steps": "工作步骤",
    "column step": "步骤",
    "column what": "内容",
    "column when": "时间",
    "to be set": "待定",
    "step explore": "探索",
    "do explore": "收集备选指标：内部意见、投诉、流失顾客、焦点小组。",
    "step pretest": "预调查",
    "do pretest": "访问小样本，保留有代表性的指标（csi.explore_factors、csi.analyze_items）。",
    "step fieldwork": "正式调查",
    "do fieldwork": "邀请 {invited:,} 名顾客并提醒，完成 {n:,} 份问卷；记录每个样本的结果。",
    "step cleaning": "数据质量",
    "do cleaning": "检查直线作答、过快作答、重复和缺失（csi.describe）以及应答率"
    "（csi.weighting.response_rates）。",
    "step analysis": "分析",
    "do analysis": "见下文。",
    "step report": "报告",
    "do report": "撰写报告（csi.write_report）。",
    "questions": "问题",
    "column construct": "变量",
    "column name": "名称",
    "column question": "问题",
    "column answers": "回答",
    "column no answer": "未回答",
    "scale": "{low} 至 {high}",
    "open": "开放",
    "weights": "加权",
    "equal": "各层按总体比例抽样，每位受访者权重相同。",
    "comma": "、",
    "unequal": "各层未按总体比例抽样，受访者的权重为该层占总体的比例除以占样本的比例：{weights}。",
    "design weights": "权重见列 {column}。",
    "design strata": "层见列 {column}。",
    "design cluster": "群见列 {column}。",
    "rake": "已知规模的群体应答率不同时，按其规模校准权重（csi.rake），并报告由此损失的精度。",
    "analysis": "分析计划",
    "column call": "函数",
    "analysis csi.read_survey": "按本编码手册读取数据",
    "analysis csi.describe": "描述问题和受访者",
    "analysis csi.analyze_items": "检验各变量的问题",
    "analysis csi.fit": "估计模型",
    "analysis csi.index_scores": "各变量的指数（0–100），总体与分组",
    "analysis csi.linearize": "按抽样设计计算误差",
    "analysis csi.importance_performance": "重要性与表现",
    "analysis csi.repurchase": "每一分指数对再购买的价值",
    "report": "报告",
    "report notes": "每个指数均报告其 {level:.0%} 区间和样本量；两组的比较用差异检验，并按比较次数"
    "调整，不以区间是否重叠判断；说明未接触到的人和未回答的问题。",
}
TEXTS: Mapping[Language, Mapping[str, str]] = {"en": _ENGLISH, "zh": _CHINESE}
"""Sentences by language and place."""
