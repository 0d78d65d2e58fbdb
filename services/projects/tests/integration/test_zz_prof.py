import time
from uuid import UUID
from services.projects.tests.desk import Desk
from services.projects.tests.works import Works
from projects.copies import repository

SPLIT = """
select count(*) filter (where
 {0}) from unnest($2::text[], $3::text[]) a(path, folders)"""
W = " and t.hash is not null and not exists (select 1 from unnest($2::text[]) l(path) where l.path = t.path and l.path is null)"
ARMS = ["(t.folded = a.path and t.path <> a.path)", "t.folded = any(string_to_array(a.folders, E'\\n'))", "(t.folded >= a.path || '/' and t.folded < a.path || '0')"]
def ex(arm): return f"exists (select 1 from file t where t.project_id = $1 and {arm} {W})"

async def test_prof(desk: Desk) -> None:
    p = await desk.project()
    means = Works(desk).means()
    for k in range(0, 6000, 500):
        a = await desk.batch(p, *[{"op": "create", "path": f"src/{i%100}/{i}.ts", "content": f"{i}"*20} for i in range(k, k+500)])
        assert a.status_code == 200, a.text
    pid = UUID(p.rpartition("/")[2])
    for _ in range(5):
        t0 = time.perf_counter()
        e = await repository.entries(means.db, pid, 6000)
        t1 = time.perf_counter()
        a = await desk.call("POST", f"{p}/fork")
        t2 = time.perf_counter()
        print(len(e), round(t1-t0, 3), "fork", round(t2-t1, 3))
    paths = [f"src/{i%100}/{i}.ts" for i in range(10000, 10100)]
    folders = [f"src\nsrc/{i%100}" for i in range(10000, 10100)]
    one = SPLIT.format(ex("(" + " or ".join(ARMS) + ")"))
    three = SPLIT.format(" or ".join(ex(a) for a in ARMS))
    async with means.db.transaction() as tx:
        for q in (one, three, one, three):
            t = time.perf_counter()
            r = await tx._connection.fetch(q, pid, paths, folders)
            print("clash", r[0][0], round(time.perf_counter() - t, 3))
