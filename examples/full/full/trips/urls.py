from django.urls import path

from trips import login, views

app_name = "trips"
urlpatterns = [
    path("", views.page, name="page"),
    path("roundtrips.json", views.roundtrips, name="roundtrips"),
    path("roundtrips/<name>.json", views.roundtrip, name="roundtrip"),
    path("uploads/", views.upload, name="upload"),
    path("uploads/<int:pk>/", views.download, name="download"),
    path("login/<way>/", login.login, name="login"),
    path("logout/", login.logout, name="logout"),
    path("saml/acs/", login.saml, name="saml"),
    path("callback", login.callback, name="callback"),
    path("count/", views.count, name="count"),
]
