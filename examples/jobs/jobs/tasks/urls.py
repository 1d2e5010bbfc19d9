from django.urls import path

from tasks import views

app_name = "tasks"
urlpatterns = [
    path("", views.JobList.as_view(), name="list"),
    path("new/", views.JobCreate.as_view(), name="create"),
]
