"""Questions that measure the constructs of published models, in English and Chinese.

Short wordings of our own, to be filled in with the product and edited: the offices' questionnaires
are not reproduced. The first questions of a construct are those asked where there are few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Question(NamedTuple):
    """One question in both languages."""

    en: str
    zh: str


OF_ITEMS: Mapping[str, Question] = {
    # The mobile phone survey asks these in an order of its own, and its names are published.
    "PERQ2": Question("Technical quality", "技术质量"),
    "PERQ3": Question("Service and advice to customers", "对顾客的服务和建议"),
    "PERQ4": Question("Quality of the services used", "所用服务的质量"),
    "PERQ6": Question("Reliability of what is supplied", "所提供产品和服务的可靠性"),
    "CUSL2": Question("How likely to stay though others cost less", "在他人更便宜时仍留下的可能性"),
    "CUSL3": Question("How likely to recommend", "推荐给他人的可能性"),
}

QUESTIONS: Mapping[str, tuple[Question, ...]] = {
    "Image": (
        Question("It can be trusted in what it says and does", "言行可信"),
        Question("It is stable and firmly established", "稳定可靠、根基稳固"),
        Question("It contributes to society", "对社会有贡献"),
        Question("It cares about its customers", "关心顾客"),
        Question("It is innovative and looks ahead", "有创新精神、着眼未来"),
    ),
    "Expectation": (
        Question("Quality expected overall, before buying", "购买前对总体质量的期望"),
        Question("How well it was expected to meet own needs", "购买前对满足自身需求的期望"),
        Question("How often things were expected to go wrong (10: hardly ever)",
                 "购买前对可靠性的期望（10 表示几乎不出问题）"),
    ),
    "Quality": (
        Question("Quality overall", "总体质量"),
        Question("How well it meets own needs", "满足自身需求的程度"),
        Question("How often things go wrong (10: hardly ever)", "可靠性（10 表示几乎不出问题）"),
        Question("Service and advice to customers", "对顾客的服务和建议"),
        Question("Range of products and services", "产品和服务的多样性"),
        Question("Ease of access and use", "获取和使用的方便程度"),
        Question("Clarity of information", "信息的清晰程度"),
    ),
    "ProductQuality": (
        Question("Quality of the product overall", "产品总体质量"),
        Question("How well the product meets own needs", "产品满足自身需求的程度"),
        Question("How often the product fails (10: hardly ever)",
                 "产品可靠性（10 表示几乎不出故障）"),
    ),
    "ServiceQuality": (
        Question("Quality of service overall", "服务总体质量"),
        Question("How well the service meets own needs", "服务满足自身需求的程度"),
        Question("How often the service goes wrong (10: hardly ever)",
                 "服务可靠性（10 表示几乎不出差错）"),
    ),
    "Value": (
        Question("Price for this quality", "就质量而言的价格"),
        Question("Quality for this price", "就价格而言的质量"),
    ),
    "Satisfaction": (
        Question("Satisfied overall", "总体满意程度"),
        Question("How far expectations were met", "与期望相比的程度"),
        Question("How close to the ideal", "与理想相比的接近程度"),
    ),
    "Complaints": (
        Question("How well a complaint was handled, or would be", "投诉处理得如何（或将会如何）"),
        Question("Complained to the staff or the management (0 no, 1 yes)",
                 "是否向员工或管理者投诉过（0 否，1 是）"),
    ),
    "ComplaintHandling": (
        Question("How well the last complaint was handled", "最近一次投诉处理得如何"),
        Question("Outcome of the complaint compared with what was expected", "投诉结果与期望相比"),
    ),
    "Loyalty": (
        Question("How likely to buy again", "再次购买的可能性"),
        Question("How likely to recommend", "推荐给他人的可能性"),
        Question("How likely to stay though others cost less", "在他人更便宜时仍留下的可能性"),
    ),
    "Trust": (
        Question("Confident that it will do a good job in future", "相信其今后能把工作做好"),
        Question("Willing to say positive things about it", "愿意说其好话"),
    ),
    "Process": (
        Question("Ease of the application or procedure", "办事程序的简便程度"),
        Question("Timeliness and efficiency of the procedure", "办事程序的及时性和效率"),
    ),
    "Information": (
        Question("Ease of getting the information", "获取信息的方便程度"),
        Question("Clarity and usefulness of the information", "信息的清晰和有用程度"),
    ),
    "CustomerService": (
        Question("Courtesy of the staff", "工作人员的礼貌程度"),
        Question("Professionalism of the staff", "工作人员的专业程度"),
    ),
    "Website": (
        Question("Ease of finding things on the website", "网站查找的方便程度"),
        Question("Reliability and usefulness of the website", "网站的可靠和有用程度"),
    ),
    "Tangibles": (
        Question("Equipment and rooms", "设备和环境"),
        Question("Appearance of staff and materials", "员工仪表和资料外观"),
    ),
    "Reliability": (
        Question("Does what was promised, when it was promised", "按时兑现承诺"),
        Question("Does it right the first time", "一次就做对"),
    ),
    "Responsiveness": (
        Question("Prompt service", "服务及时"),
        Question("Always willing to help", "总是乐于帮助"),
    ),
    "Assurance": (
        Question("Staff have the knowledge to answer", "员工有解答问题的知识"),
        Question("Staff are polite and inspire confidence", "员工礼貌并让人信任"),
    ),
    "Empathy": (
        Question("Individual attention", "给予个别关注"),
        Question("Understands the needs of customers", "了解顾客的需要"),
    ),
    "PriceIndex": (
        Question("Price compared with others", "与其他家相比的价格"),
        Question("Price compared with expectation", "与期望相比的价格"),
    ),
    "AffectiveCommitment": (
        Question("Pleased to be its customer", "乐于做其顾客"),
        Question("Feels attached to it", "对其有归属感"),
        Question("It takes care of its customers", "其照顾顾客"),
    ),
    "CalculativeCommitment": (
        Question("It pays to be its customer", "做其顾客在经济上划算"),
        Question("Would lose by changing", "更换会有损失"),
        Question("Others are not near or not as convenient", "其他家不近或不方便"),
    ),
    "Dialogue": (
        Question("Ease of getting into contact", "联系的方便程度"),
        Question("Willingness of staff to listen", "员工倾听的意愿"),
        Question("Satisfied with the contact overall", "对沟通的总体满意程度"),
    ),
    "Characteristics": (
        Question("Age group", "年龄段"),
        Question("Education", "受教育程度"),
        Question("Household income group", "家庭收入段"),
    ),
    "Performance": (
        Question("Quality for the price paid", "就所付价格而言的质量"),
        Question("Price for the quality received", "就所得质量而言的价格"),
    ),
    "CorePerformance": (
        Question("Performance of the core function", "核心功能的表现"),
        Question("Result of the service", "服务的结果"),
    ),
    "ProcessAssurance": (
        Question("Correctness of what is done", "服务过程准确无误"),
        Question("Promptness of response", "服务响应及时"),
        Question("Courtesy during the service", "服务过程有礼貌"),
    ),
    "Completeness": (
        Question("Range of services", "服务项目齐全"),
        Question("Thoroughness of each service", "服务周到彻底"),
    ),
    "EaseOfUse": (
        Question("Access to the service", "服务容易获得"),
        Question("Simplicity of the procedure", "手续简便"),
        Question("Skill of the staff", "服务熟练灵巧"),
    ),
    "Environment": (
        Question("Friendliness of the staff", "服务人员亲切有礼"),
        Question("Atmosphere and surroundings", "环境和气氛"),
    ),
    "ProductValue": (
        Question("Function and quality of the product", "产品的功能和质量"),
        Question("Fit of the product to own needs", "产品适合自身需要"),
    ),
    "ServiceValue": (
        Question("Delivery, repair and advice", "送货、维修和咨询"),
        Question("Reliability of the service", "服务可靠"),
    ),
    "PersonnelValue": (
        Question("Knowledge and attitude of the staff", "人员的知识和态度"),
        Question("Responsiveness of the staff", "人员的反应能力"),
    ),
    "ImageValue": (
        Question("Standing of the brand", "品牌声誉"),
        Question("What others think of its customers", "他人对使用者的看法"),
    ),
    "MoneyCost": (
        Question("Price and running costs (10: very high)", "价格和使用费用（10 表示很高）"),
        Question("Costs beside the price (10: very high)", "附加费用（10 表示很高）"),
    ),
    "TimeCost": (
        Question("Time to find and buy (10: very long)", "寻找和购买所花时间（10 表示很长）"),
        Question("Time spent waiting (10: very long)", "等候时间（10 表示很长）"),
    ),
    "EnergyCost": (
        Question("Effort of buying (10: very great)", "购买所费体力（10 表示很大）"),
        Question("Effort of use and care (10: very great)", "使用和保养所费体力（10 表示很大）"),
    ),
    "PsychologicalCost": (
        Question("Worry about a wrong choice (10: very great)", "担心选错（10 表示很大）"),
        Question("Annoyance in dealings (10: very great)", "交往中的烦恼（10 表示很大）"),
    ),
    "CustomerValue": (
        Question("What is received compared with what is given, overall", "总体所得与所付相比"),
        Question("Worth the money and the trouble", "值得所花的钱和精力"),
    ),
    "Authority": (
        Question("Authority matches responsibility", "权责相称"),
        Question("May decide on what own work needs", "能决定工作所需事项"),
    ),
    "WorkingConditions": (
        Question("Tools and workplace", "工具和工作场所"),
        Question("Pay and working hours", "报酬和工作时间"),
    ),
    "Management": (
        Question("Leadership and organisation", "领导和组织"),
        Question("Information and fairness", "信息沟通和公平"),
    ),
    "CompanyEnvironment": (
        Question("Relations among colleagues", "同事关系"),
        Question("Culture and prospects of the company", "企业文化和前景"),
    ),
    "PersonalSituation": (
        Question("Balance of work and private life", "工作与生活的平衡"),
        Question("Own development", "个人发展"),
    ),
    "StaffSatisfaction": (
        Question("Satisfied with the work overall", "对工作的总体满意程度"),
        Question("Would choose this employer again", "会再次选择本企业"),
        Question("Would recommend it as an employer", "会推荐本企业"),
    ),
    "Profit": (
        Question("Profit of the branch, per unit of sales", "分支机构的销售利润率"),
    ),
}  # fmt: skip
